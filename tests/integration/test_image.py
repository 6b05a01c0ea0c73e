"""docker/Dockerfile: the image is built, and runs with a root that cannot be written."""

import contextlib
import os
import re
import shutil
import subprocess
import urllib.request

import pytest

import compose_files
import images
from front import Front
from harness import BINARY, DEADLINE, REPOSITORY

DOCKERFILE = REPOSITORY / "docker" / "Dockerfile"
PREBUILT = REPOSITORY / "build" / "prebuilt"
needs_images = pytest.mark.skipif(bool(images.why_not()), reason=images.why_not())


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """(buildah, name): with this weir, instead of one that is built in there."""
    directory = tmp_path_factory.mktemp("images")
    buildah = images.Buildah(directory)
    base = buildah.import_base(images.make_base(directory / "base.tar"))
    (PREBUILT / "usr/bin").mkdir(parents=True, exist_ok=True)
    shutil.copy(BINARY, PREBUILT / "usr/bin/weir")
    try:
        buildah.build("localhost/weir", BASE=base, BUILD_BASE=base, PREBUILT="yes")
    finally:
        shutil.rmtree(PREBUILT)
    yield buildah, "localhost/weir"
    shutil.rmtree(directory, ignore_errors=True)


def files_of(root):
    return {str(path.relative_to(root)): path.lstat() for path in root.rglob("*")}


@needs_images
def test_settings(image):
    buildah, name = image
    settings = buildah.settings_of(name)["config"]
    assert settings["User"] == "10001:10001"
    assert settings["ExposedPorts"] == {"9091/tcp": {}}
    assert (settings["Entrypoint"], settings["Cmd"], settings["StopSignal"]) == (["/usr/bin/weir"], [], "SIGTERM")
    assert settings["Healthcheck"]["Test"] == ["CMD", "/usr/bin/weir", "probe"]
    assert (list(settings["Volumes"]), settings["WorkingDir"]) == (["/var/lib/weir"], "/var/lib/weir")
    labels = {key.rpartition(".")[2]: value for key, value in settings["Labels"].items() if "opencontainers" in key}
    assert (labels["title"], labels["licenses"]) == ("weir", "Apache-2.0")


@needs_images
def test_nothing_but_weir_is_added(image):
    """Nothing of the packages' installation stays, nor of what it was built of."""
    buildah, name = image
    before, after = (files_of(buildah.mounted(each)) for each in ("localhost/base", name))
    added = set(after) - set(before) - {"etc/hostname", "etc/hosts", "etc/resolv.conf"}  # buildah's
    assert added == {"usr/bin/weir", "usr/share/doc", "usr/share/doc/weir", "usr/share/doc/weir/LICENSE",
                     "var/lib/weir"}
    changed = {path for path in set(before) & set(after) if before[path].st_size != after[path].st_size
               and not os.path.isdir(buildah.mounted(name) / path)}
    assert changed == {"etc/passwd", "etc/group"}
    weir = after["usr/bin/weir"]
    assert (weir.st_uid, weir.st_mode & 0o7777, weir.st_size) == (0, 0o755, os.stat(BINARY).st_size)
    home = after["var/lib/weir"]
    assert (home.st_uid, home.st_gid, home.st_mode & 0o7777) == (10001, 10001, 0o750)


@needs_images
def test_it_runs_on_a_read_only_root_and_keeps_what_is_pushed(image, tmp_path):
    volume = tmp_path / "volume"
    with images.Container(*image, volume) as container:
        container.wait_until_healthy()
        page = f"http://127.0.0.1:{container.port}/metrics"
        request = urllib.request.Request(f"{page}/job/j", b"kept 1\n", method="PUT")
        assert urllib.request.urlopen(request, timeout=DEADLINE).status == 200
        mounts = [line.split() for line in open(f"/proc/{container.process.pid}/mountinfo")]
        options = {fields[4]: fields[5].split(",")[0] for fields in mounts}
        assert (options["/"], options["/var/lib/weir"]) == ("ro", "rw")
        status = open(f"/proc/{container.process.pid}/status").read()
        assert re.findall(r"^[UG]id:\t(\d+)\t(\d+)\t", status, re.M) == [("10001", "10001")] * 2
    assert container.exit_code == 0, container.said()
    with images.Container(*image, volume) as container:
        container.wait_until_healthy()
        page = urllib.request.urlopen(f"http://127.0.0.1:{container.port}/metrics", timeout=DEADLINE).read().decode()
        assert 'kept{instance="",job="j"} 1\n' in page
    assert container.exit_code == 0, container.said()


@needs_images
def test_one_that_is_not_ready_is_not_healthy(image, tmp_path):
    """It waits for a Redis that is not there."""
    with images.Container(*image, tmp_path / "volume", "--state.url=redis://127.0.0.1:1") as container:
        images.wait_for(lambda: "listening" in container.said(), "weir listens")
        assert not container.is_healthy()
        assert "not ready" in container.said()


@pytest.fixture(scope="module")
def site_image(image):
    """docker/Dockerfile.site, in the same buildah."""
    buildah, _ = image
    buildah.build("localhost/site", "Dockerfile.site", BASE="localhost/base")
    return buildah


@contextlib.contextmanager
def pushing(buildah, service, **variables):
    """In a container of the site's image, as a compose file says, but for some variables."""
    settings = buildah.settings_of("localhost/site")["config"]
    command = images.in_container(buildah.mounted("localhost/site"), settings, settings["Entrypoint"] + service["command"],
                                  "", "/tmp", {**service["environment"], **variables})
    with subprocess.Popen([str(word) for word in command], stderr=subprocess.PIPE, text=True) as pusher:
        try:
            yield
        finally:
            pusher.terminate()
        assert pusher.wait(DEADLINE) == 0, pusher.stderr.read()


@needs_images
def test_sites_push_from_a_container(site_image, start_weir, node_exporter):
    weir = start_weir()
    with pushing(site_image, compose_files.services("site")["push-node"], PUSHGATEWAY_SERVER=weir.url,
                 NODE_PORT=node_exporter.port):
        images.wait_for(lambda: weir.scrape().value("push_source_up", job="node-exporter", instance="10.0.0.1"),
                        "its page is pushed")
    assert weir.scrape().value("node_load1", job="node-exporter", instance="10.0.0.1") is not None
    scripts = site_image.mounted("localhost/site") / "usr/share/weir/site"
    for name in re.findall(r'command: \["(push-[a-z]+)"', compose_files.text_of("site")):
        assert (scripts / name).stat().st_mode & 0o111 == 0o111


@needs_images
def test_snmp_yml_is_made_in_a_container(site_image, tmp_path):
    """In the volume that the exporter has, too; the community is in no layer, and only that user can read the file."""
    settings = site_image.settings_of("localhost/site")["config"]
    root = site_image.mounted("localhost/site")
    assert ((root / "var/lib/weir-site").stat().st_uid, list((root / "var/lib/weir-site").iterdir())) == (10001, [])
    services, volume = compose_files.services("site"), tmp_path / "volume"
    volume.mkdir()
    (volume / "community").write_text("of-the-switches\n")
    for path in (volume, volume / "community"):
        os.chown(path, 10001, 10001)
    (volume / "community").chmod(0o400)
    variables = {**services["snmp-config"]["environment"], "COMMUNITY_FILE": "/var/lib/weir-site/community",
                 "WEIR_SITE_DIR": "/var/lib/weir-site/state"}
    command = images.in_container(root, settings, settings["Entrypoint"] + services["snmp-config"]["command"], volume,
                                  "/var/lib/weir-site", variables)
    with subprocess.Popen([str(word) for word in command], stderr=subprocess.PIPE, text=True) as process:
        try:
            images.wait_for((volume / "snmp.yml").exists, "it is made")
        finally:
            process.terminate()
        assert (process.wait(DEADLINE), process.stderr.read()) == (0, "")
    made = (volume / "snmp.yml").stat()
    assert (made.st_uid, made.st_mode & 0o777) == (10001, 0o600)
    assert services["snmp-exporter"]["user"] == f"{made.st_uid}:{made.st_gid}"
    assert 'community: "of-the-switches"\n' in (volume / "snmp.yml").read_text()
    assert {name: [row for row in services[name]["volumes"] if row.startswith("snmp:")]
            for name in ("snmp-config", "snmp-exporter")} == {
                "snmp-config": ["snmp:/var/lib/weir-site:rw"], "snmp-exporter": ["snmp:/config:ro"]}
    assert "--config.file=/config/snmp.yml" in services["snmp-exporter"]["command"]


@needs_images
def test_the_cloud_pushes_what_its_nginx_counts(site_image, start_weir, tmp_path):
    weir = start_weir()
    with Front(tmp_path / "front", ["127.0.0.1:1", "127.0.0.1:2"], 3, [4, 5]) as front:
        with pushing(site_image, compose_files.services("cloud")["push-nginx"], PUSHGATEWAY_SERVER=weir.url,
                     NGINX_STATUS_URL=f"http://127.0.0.1:{front.health}/status"):
            images.wait_for(lambda: weir.scrape().value("nginx_up", job="nginx", instance="front"), "it is pushed")
    assert weir.scrape().value("nginx_http_requests_total", job="nginx", instance="front") >= 1


def test_what_it_installs_is_what_weir_needs():
    """Each library that weir is linked with is in one of the packages, and each of them has one."""
    linked = re.findall(r"NEEDED.*\[(.*)\]", images.run("readelf", "-d", BINARY))
    paths = dict(re.findall(r"^\s*(\S+) => (\S+)", images.run("ldd", BINARY), re.M))
    wanted = {os.path.realpath(paths[name]) for name in linked if name in paths}
    wanted = {path for path in wanted if not re.search(r"/lib(gcc_s|stdc\+\+)\.so", path)}  # of the sanitizers
    for package in images.packages_of("run"):
        listed = {os.path.realpath(path) for path in images.run("dpkg-query", "-L", package).splitlines()}
        assert wanted & listed, package
        wanted -= listed
    assert not wanted


def test_its_version_is_weirs():
    version, = re.findall(r"^ARG VERSION=(.*)$", DOCKERFILE.read_text(), re.M)
    assert f"weir, version {version} " in subprocess.run(
        [BINARY, "--version"], capture_output=True, text=True, check=True).stdout


def test_only_what_is_named_goes_into_the_build():
    """Secrets and data that lie beside it do not."""
    rows = [line for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert rows[0] == "*" and all(row.startswith("!") for row in rows[1:])
    for name in (row[1:] for row in rows[1:]):
        assert name == "build/prebuilt" or (REPOSITORY / name).exists(), name
