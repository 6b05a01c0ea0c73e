#include "http/coder.h"

#include "http/zstd_coder.h"

const struct coder *coder_of(enum http_coding coding)
{
	switch (coding) {
	case HTTP_CODING_GZIP:
		return &gzip_coder;
	case HTTP_CODING_ZSTD:
		return &zstd_coder;
	case HTTP_CODING_IDENTITY:
	case HTTP_CODING_SNAPPY:
	case HTTP_CODING_COUNT:
		break;
	}
	return NULL;
}
