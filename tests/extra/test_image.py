"""The image as it is for use: built in a Debian of its own, whose packages come from Debian's mirror."""

import shutil
import subprocess
import sys

import pytest

from harness import REPOSITORY

import images

BASE = REPOSITORY / "build" / "extra" / "debian.tar"


def make_base():
    """A Debian as this machine's, from where this machine has its packages; kept for the next time."""
    release = next(line.partition("=")[2] for line in open("/etc/os-release") if line.startswith("VERSION_CODENAME="))
    draft = BASE.with_suffix(".draft.tar")
    done = subprocess.run(
        ["mmdebstrap", "--variant=minbase", "--dpkgopt=path-exclude=/usr/share/doc/*",
         "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
         release.strip(), draft, *[path for path in ("/etc/apt/sources.list", "/etc/apt/sources.list.d/debian.sources")
                                   if shutil.os.path.exists(path)]],
        capture_output=True, text=True, timeout=900, check=False)
    if done.returncode != 0:
        pytest.skip(f"no Debian could be made: {done.stderr.strip().splitlines()[-1]}")
    draft.rename(BASE)


@pytest.fixture
def buildah(tmp_path):
    """With localhost/base, a Debian."""
    if images.why_not() or not shutil.which("mmdebstrap"):
        pytest.skip(images.why_not() or "there is no mmdebstrap")
    if not BASE.exists():
        make_base()
    archive = tmp_path / "debian.tar"
    shutil.copy(BASE, archive)
    builder = images.Buildah(tmp_path / "images")
    builder.import_base(archive)
    return builder


def test_whole_build(buildah, tmp_path):
    buildah.build("localhost/weir", BASE="localhost/base", BUILD_BASE="localhost/base")
    root, base = buildah.mounted("localhost/weir"), buildah.mounted("localhost/base")
    print(f"image {images.bytes_of(root) / 1e6:.1f} MB, of which base {images.bytes_of(base) / 1e6:.1f} MB, "
          f"weir {(root / 'usr/bin/weir').stat().st_size / 1e6:.1f} MB", file=sys.stderr)
    with images.Container(buildah, "localhost/weir", tmp_path / "volume") as container:
        container.wait_until_healthy()
    assert container.exit_code == 0
    assert list((root / "var/lib/apt/lists").iterdir()) == []


def test_sites_with_a_generator(buildah):
    """For MIBs; without it the image is as small as it was."""
    for wanted in ("no", "yes"):
        name = f"localhost/site-{wanted}"
        buildah.build(name, "Dockerfile.site", BASE="localhost/base", SNMP_GENERATOR=wanted)
        root = buildah.mounted(name)
        assert (root / "usr/bin/prometheus-snmp-generator").exists() == (wanted == "yes")
        assert list((root / "var/lib/apt/lists").iterdir()) == []
        print(f"site image, generator {wanted}: {images.bytes_of(root) / 1e6:.1f} MB", file=sys.stderr)
