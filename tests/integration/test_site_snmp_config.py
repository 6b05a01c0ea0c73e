"""scripts/site/snmp-config: the file of snmp_exporter, and that of its generator, of the environment alone."""

import re
import shutil
import stat

import pytest
import yaml

from harness import wait_for
from sites import Site, small_tools

OIDS = ["1.3.6.1.2.1.1.3", "ifXTable"]
LIST = '["1.3.6.1.2.1.1.3", "ifXTable"]'
SECRET = "c0mmunity-of-switches"


@pytest.fixture
def community(site):
    path = site.directory / "community"
    path.write_text(f"{SECRET}\n")
    path.chmod(0o600)
    site.variables["COMMUNITY_FILE"] = str(path)
    return path


@pytest.fixture
def file(site, community):
    return site.directory / "snmp.yml"


def read(path):
    return yaml.safe_load(path.read_text())


# --- what it makes ---

def test_generator_yml(site, file):
    variables = {"OIDS_LIST": LIST, "RETRY": "2", "TIMEOUT": "7s"}
    site.succeed("snmp-config", "--for-generator", file, **variables)
    whole = read(file)
    assert whole["auths"] == {"public_v2": {"community": SECRET, "version": 2}}
    module = whole["modules"]["if_mib"]
    assert (module["walk"], module["retries"], module["timeout"]) == (OIDS, 2, "7s")
    assert [lookup["source_indexes"] for lookup in module["lookups"]] == [["ifIndex"]] * 3
    site.succeed("snmp-config", "--for-generator", "--form=module", file, **variables)
    assert read(file) == {"modules": {"if_mib": {"version": 2, "auth": {"community": SECRET}, **module}}}


def test_snmp_yml(site, file):
    variables = {"OIDS_LIST": LIST, "RETRY": "0", "TIMEOUT": "0.5s"}
    site.succeed("snmp-config", file, **variables)
    whole = read(file)
    assert whole["auths"] == {"public_v2": {"community": SECRET, "version": 2}}
    module = whole["modules"]["if_mib"]
    assert (module["retries"], module["timeout"]) == (0, "0.50s")
    assert module["get"] == ["1.3.6.1.2.1.1.3.0"]
    assert module["walk"] == ["1.3.6.1.2.1.31.1.1", "1.3.6.1.2.1.2.2.1.2"]
    names = [metric["name"] for metric in module["metrics"]]
    assert {"sysUpTime", "ifHCInOctets", "ifHighSpeed"} <= set(names) and len(names) == len(set(names))
    for metric in module["metrics"]:
        assert [lookup["labelname"] for lookup in metric.get("lookups", [])] in ([], ["ifDescr", "ifName", "ifAlias"])
        assert metric["name"].startswith("if") == ("lookups" in metric)
    site.succeed("snmp-config", "--form=module", file, **variables)
    assert read(file) == {"if_mib": {"version": 2, "auth": {"community": SECRET}, **module}}


def test_names(site, file):
    """What push-snmp asks for is what there is."""
    variables = {"SNMP_MODULE": "switches", "SNMP_AUTH": "of-site_a", "SNMP_VERSION": "1"}
    site.succeed("snmp-config", file, **variables)
    whole = read(file)
    assert (set(whole["modules"]), whole["auths"]["of-site_a"]["version"]) == ({"switches"}, 1)
    site.succeed("snmp-config", "--module=b", "--auth=c", "--snmp-version=2", file, **variables)
    whole = read(file)
    assert (set(whole["modules"]), whole["auths"]["c"]["version"]) == ({"b"}, 2)


def test_all_that_is_known_by_default(site, file):
    site.succeed("snmp-config", file)
    default = file.read_bytes()
    site.succeed("snmp-config", '--oids=["sysUpTime","interfaces", ".1.3.6.1.2.1.31.1.1" ,"ifTable", "ifHCInOctets"]',
                 "--retries=3", "--timeout=5", file)
    assert [metric["name"] for metric in read(file)["modules"]["if_mib"]["metrics"]] == [
        metric["name"] for metric in yaml.safe_load(default)["modules"]["if_mib"]["metrics"]]
    assert read(file)["modules"]["if_mib"]["walk"] == ["1.3.6.1.2.1.2", "1.3.6.1.2.1.31.1.1"]
    site.succeed("snmp-config", file)
    assert file.read_bytes() == default


@pytest.mark.parametrize("shell", [["dash"], ["bash", "--posix"], ["busybox", "sh"]])
def test_each_shell_makes_the_same(site, file, tmp_path, shell):
    site.succeed("snmp-config", file, OIDS_LIST=LIST)
    path = small_tools(tmp_path / "tools") if shell[0] == "busybox" else None
    other = Site(tmp_path / "other", "http://127.0.0.1:1", [shutil.which(shell[0]), *shell[1:]], path)
    again = tmp_path / "other" / "snmp.yml"
    other.succeed("snmp-config", again, OIDS_LIST=LIST, COMMUNITY_FILE=site.variables["COMMUNITY_FILE"])
    assert again.read_bytes() == file.read_bytes()


@pytest.mark.parametrize("community_", [
    'a"b', "a\\n b", "- x: #y", " with blanks ", "ü", "!x", "yes", "0x1F", "{a}", "%Y", "a'b", "$(id) `id` $HOME", "x" * 255])
def test_a_community_comes_as_it_is(site, file, community, community_):
    for form, ending, arguments in (("auths", "", []), ("module", "\n", ["--for-generator"])):
        community.write_text(community_ + ending)
        site.succeed("snmp-config", f"--form={form}", *arguments, file)
        whole = read(file)
        found = whole["auths"]["public_v2"] if form == "auths" else whole["modules"]["if_mib"]["auth"]
        assert found["community"] == community_


def test_one_that_is_ready_made(site, file):
    mine = site.directory / "mine.yml"
    mine.write_text("auths: {}\nmodules: {}\n")
    site.succeed("snmp-config", f"--ready-made={mine}", file, COMMUNITY_FILE="")
    assert file.read_text() == mine.read_text() and stat.S_IMODE(file.stat().st_mode) == 0o600
    site.succeed("snmp-config", "--ready-made=/dev/null", file)
    assert SECRET in file.read_text()


# --- what is wrong ---

@pytest.mark.parametrize("oids,words", [
    ("[", "has something that is not between quotes, at character 2"), ("1.3", "has no ["), ("[]", "names no OID"),
    ('["1.3.6"', "has no ]"), ('["1.3.6",]', "not between quotes"), ('["1.3.6"] x', "goes on behind its end"),
    ("[1.3]", "not between quotes"), ('{"a": "1.3"}', "has no ["), ("['1.3.6']", "not between quotes"),
    ('["1.3.6', "does not end"), ('["1.3.\\u0036"]', "backslash"), ('["1.3.6\n"]', "which is no OID"),
    ('["9.3.6"]', "'9.3.6', which is no OID, at character 3"), ('["1"]', "no OID"), ('["1.99"]', "no OID"),
    ('["1.3.06"]', "no OID"), ('["1.3.6."]', "no OID"), ('["1.3.4294967296"]', "no OID"), ('[""]', "no OID"),
    ('["1.3.6", "a b"]', "'a b', which is no OID, at character 12"), ('["$(id)"]', "no OID"),
    ('["a: b"]', "no OID"), (f'["1.3{".1" * 127}"]', "no OID")])
def test_bad_oids(site, file, oids, words):
    for arguments in ([], ["--for-generator"]):
        said = site.fail("snmp-config", *arguments, file, OIDS_LIST=oids)
        assert words in said and said.startswith("snmp-config: OIDS_LIST ")
        assert said.endswith('it is to be as ["1.3.6.1.2.1.2", "ifXTable"] \n')
    assert not file.exists()


def test_what_only_mibs_know(site, file):
    said = site.fail("snmp-config", "--generator=none", file, OIDS_LIST='["f10IfTable", "1.3.6.1.2.1.31"]')
    assert said == ("snmp-config: f10IfTable 1.3.6.1.2.1.31 is not known here, and none, which reads MIBs, "
                    "is not installed (--generator)\n")


@pytest.mark.parametrize("content,words", [
    (b"", "its first line is to be the community, and is empty"), (b"\n", "is empty"),
    (b"a\nb\n", "more than one line"), (b"a\r\n", "such as the CR of an end of line"), (b"a\0b\n", "no text"),
    (b"\xff\n", "no text"), (b"a\tb\n", "no text"), (b"\xc2\x85\n", "no text"), (b"x" * 256, "255 bytes at most")])
def test_bad_communities(site, file, community, content, words):
    site.succeed("snmp-config", file)
    before = file.read_bytes()
    community.write_bytes(content)
    said = site.fail("snmp-config", file)
    assert said.startswith(f"snmp-config: {community}: ") and words in said
    assert file.read_bytes() == before


def test_no_community(site, file, community):
    assert "COMMUNITY_FILE names a file" in site.fail("snmp-config", file, COMMUNITY_FILE="")
    assert "/nowhere: cannot be read" in site.fail("snmp-config", file, COMMUNITY_FILE="/nowhere")
    assert "is a directory" in site.fail("snmp-config", file, COMMUNITY_FILE=str(site.directory))
    assert not file.exists()


def test_a_community_is_not_taken_from_the_environment(site, file):
    said = site.fail("snmp-config", file, COMMUNITY_FILE="", COMMUNITY_STRING=SECRET)
    assert "write it into a file of mode 0600, and name that in COMMUNITY_FILE" in said and SECRET not in said
    assert not file.exists()
    done = site.succeed("snmp-config", file, COMMUNITY_STRING="another")
    assert "COMMUNITY_STRING is not needed" in done.stderr and "another" not in file.read_text() + done.stderr


def test_files_that_others_can_read_or_write(site, file, community):
    community.chmod(0o644)
    said = site.succeed("snmp-config", file).stderr
    assert said == f"snmp-config: {community}: everybody can read it; chmod 600 makes it private\n"
    community.chmod(0o602)
    assert "everybody can write it" in site.fail("snmp-config", file)
    community.chmod(0o400)
    assert site.succeed("snmp-config", file).stderr == ""


@pytest.mark.parametrize("arguments,words", [
    ([], "which file"), (["a", "b"], "'a' and 'b' are two"), (["--form=old", "a"], "auths or module"),
    (["--retries=x", "a"], "no number of retries"), (["--retries=-1", "a"], "no number"),
    (["--retries=100", "a"], "no number"),
    (["--timeout=soon", "a"], "a duration is written as"), (["--timeout=0", "a"], "more than 0"),
    (["--snmp-version=3", "a"], "version 1 or 2"), (["--module=a b", "a"], "no name for a module"),
    (["--auth=a:", "a"], "no name for a module or an auth"), (["--what", "a"], "unknown option")])
def test_misuse(site, arguments, words):
    assert words in site.fail("snmp-config", *arguments, code=2)


@pytest.mark.parametrize("name,value", [
    ("RETRY", "many"), ("TIMEOUT", "5 s"), ("SNMP_FORM", "x"), ("SNMP_VERSION", "2c")])
def test_bad_variables_are_named(site, name, value):
    assert name in site.fail("snmp-config", "a", code=2, **{name: value})


def test_where_nothing_can_be_written(site, file):
    assert "is a directory" in site.fail("snmp-config", site.directory)
    said = site.fail("snmp-config", "/nowhere/snmp.yml")
    assert said.startswith("snmp-config: /nowhere/snmp.yml.new: ")


# --- whom it tells ---

TOOLS = ["awk", "cat", "chmod", "cmp", "curl", "cut", "find", "flock", "grep", "head", "mkdir", "mv", "od", "readlink",
         "rm", "sed", "sort", "tail", "tr", "uname", "prometheus-snmp-generator"]


def test_no_program_is_told_the_community(site, file, tmp_path):
    """Neither as an argument, which ps shows, nor in its environment."""
    tools, log = tmp_path / "tools", tmp_path / "log"
    tools.mkdir()
    for name in TOOLS:
        (tools / name).write_text(f'#!/bin/sh\n{{ echo "ran {name}"; printf "%s\\n" "$@"; /usr/bin/env; }} >>{log}\n'
                                  f'exec {shutil.which(name)} "$@"\n')
        (tools / name).chmod(0o755)
    path = f"{tools}:{site.variables['PATH']}"
    done = site.succeed("snmp-config", "--for-generator", file, PATH=path)
    assert SECRET in file.read_text()
    failed = site.fail("snmp-config", file, PATH=path, OIDS_LIST='["noSuchName"]')
    assert {"awk", "cat", "prometheus-snmp-generator"} <= set(re.findall("^ran (.*)$", log.read_text(), re.M))
    assert SECRET not in log.read_text() + done.stdout + done.stderr + failed


def test_only_its_owner_can_read_it_and_nothing_else_has_it(site, file, community):
    file.symlink_to(site.directory / "elsewhere")
    (site.directory / "elsewhere").write_text("")
    (site.directory / "snmp.yml.new").symlink_to(site.directory / "elsewhere")
    done = site.succeed("snmp-config", file)
    assert (done.stdout, done.stderr) == ("", "")
    assert stat.S_IMODE(file.lstat().st_mode) == 0o600 and not file.is_symlink()
    have = [path for path in site.directory.rglob("*") if path.is_file() and SECRET in path.read_text()]
    assert sorted(have) == sorted([community, file])
    file.chmod(0o644)
    site.succeed("snmp-config", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_it_is_whole_at_each_moment(site, file, community):
    """While communities change, and some are wrong; the file of before stays meanwhile."""
    def write(text):
        fresh = site.directory / "fresh"
        fresh.write_text(text)
        fresh.chmod(0o600)
        fresh.rename(community)

    def shown():
        text = file.read_text()
        assert text.endswith("type: DisplayString\n") and stat.S_IMODE(file.stat().st_mode) == 0o600
        return yaml.safe_load(text)["auths"]["public_v2"]["community"]

    with site.running("snmp-config", "--every=0.1", file):
        wait_for(file.exists, "it is made")
        for count in range(4):
            write(f"c{count}")
            wait_for(lambda wanted=f"c{count}": shown() == wanted, f"c{count} is taken")
            before = site.log().count("is empty")
            write("")
            wait_for(lambda said=before: site.log().count("is empty") > said + 1, "it is told that this is none")
            assert shown() == f"c{count}"
