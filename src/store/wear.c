#include "store/wear.h"

#include "store/repack.h"

struct worn_pack {
	struct worn_pack *next;
	struct pack *pack;
};

static void let_go_of_pack(struct wear *wear, struct pack *pack)
{
	wear->contents->bytes -= pack_unref(pack);
}

struct pack *wear_hold(struct block *block)
{
	struct pack *pack = block_pack(block);
	pack->refs++;
	return pack;
}

void wear_check(struct wear *wear, struct pack *pack)
{
	bool is_known = wear->worn != NULL && wear->worn->pack == pack;
	if (is_known || !repack_is_due(pack)) {
		let_go_of_pack(wear, pack);
		return;
	}
	struct worn_pack *worn = arena_alloc(wear->arena, sizeof(*worn));
	*worn = (struct worn_pack){ .next = wear->worn, .pack = pack };
	wear->worn = worn;
}

void wear_repack(struct wear *wear, uint64_t version)
{
	for (struct worn_pack *worn = wear->worn; worn != NULL; worn = worn->next) {
		repack(wear->contents, wear->group, worn->pack, version);
		let_go_of_pack(wear, worn->pack);
	}
	wear->worn = NULL;
}
