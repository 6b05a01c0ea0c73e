"""weir --check-config: what is wrong, where, and what would be right."""

import subprocess

import pytest

from harness import BINARY, DEADLINE, environment


def check_config(directory, *flags, variables=None):
    """Exit code, stdout and stderr."""
    done = subprocess.run([BINARY, "--check-config", *flags], cwd=directory, text=True,
                          env={**environment(), **(variables or {})}, capture_output=True,
                          timeout=DEADLINE, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.smoke
def test_good(tmp_path):
    (tmp_path / "weir.yml").write_text("group.ttl: 1h\njobs:\n- job: a\n  ttl: 2h\n")
    code, out, err = check_config(tmp_path, "--config.file=weir.yml")
    assert (code, err) == (0, "")
    assert out == "the settings are good\n"
    assert list(tmp_path.iterdir()) == [tmp_path / "weir.yml"], "nothing is made or started"


@pytest.mark.parametrize("text,error", [
    ("group.tll: 1h\n", "weir.yml:1: unknown key 'group.tll', did you mean 'group.ttl'?"),
    ("group:\n  ttl: 5\n", "weir.yml:2: bad value '5' for 'group.ttl': a duration needs a unit"),
    ("web.listen-address: nowhere\n",
     "weir.yml:1: bad value 'nowhere' for 'web.listen-address': no port"),
    ("jobs:\n- ttl: 1h\n", "weir.yml:2: a rule for jobs needs either 'job'"),
    ("jobs:\n- match: '['\n", "weir.yml:2: bad regular expression '[' in 'match'"),
    ("jobs:\n- a\n", "weir.yml:2: a rule for jobs must be keys and values"),
    ("jobs:\n- job: a\n  metrics: {keep: [a]}\n",
     "weir.yml:3: unknown key 'keep' in metrics; there is drop"),
    ("web.listen-address: http://localhost:9091\n",
     "weir.yml:1: bad value 'http://localhost:9091' for 'web.listen-address': not an address"),
    ("group:\n\tttl: 1h\n", "weir.yml:2: indented by a tab: YAML takes blanks only"),
    ("log.level: @x\n", "weir.yml:1: found character that cannot start any token: put the value"),
    ("log.level: 'info\n", "weir.yml:2: found unexpected end of stream while scanning a quoted "
     "scalar that begins in line 1"),
    ("web.config.file: .\n",
     "weir.yml:1: bad value '.' for 'web.config.file': Is a directory"),
    ("a: b: c\n", "weir.yml:1: mapping values are not allowed"),
])
def test_fault_of_the_file(tmp_path, text, error):
    (tmp_path / "weir.yml").write_text(text)
    code, out, err = check_config(tmp_path, "--config.file=weir.yml")
    assert (code, out) == (1, "")
    assert err.startswith(f"weir: error: {error}"), err
    assert err.count("\n") == 1


def test_all_faults_at_once(tmp_path):
    (tmp_path / "weir.yml").write_text("a: 1\nlog.level: loud\nlimit.labels: 0\n")
    code, _, err = check_config(tmp_path, "--config.file=weir.yml")
    assert code == 1
    assert [line.split(":")[3] for line in err.splitlines()] == ["1", "2", "3"]


@pytest.mark.parametrize("text,error", [
    ("tls_server_config: {cert_file: c.pem, key_file: k.pem}\n",
     "web.yml:1: cert_file: c.pem: No such file or directory"),
    ("tls_server_config:\n  cert: a\n  key_file: .\n", "web.yml:3: key_file: .: Is a directory"),
    ("tls_server_config:\n  curve_preferences: [brainpool]\n",
     "web.yml:2: unknown name 'brainpool' in curve_preferences; there are X25519, CurveP256"),
    ("users: {}\n", "web.yml:1: unknown key 'users'; there are basic_auth_users, "),
    ("tls_server_config:\n  cert_fiel: c.pem\n",
     "web.yml:2: unknown key 'cert_fiel' in tls_server_config, did you mean 'cert_file'?"),
    ("basic_auth_users: {bob: secret}\n", "web.yml:1: the password of 'bob' is no bcrypt hash"),
    ("rate_limit: {interval: 1}\n", "web.yml:1: bad interval '1': a duration needs a unit"),
])
def test_fault_of_the_web_config(tmp_path, text, error):
    (tmp_path / "web.yml").write_text(text)
    code, out, err = check_config(tmp_path, "--web.config.file=web.yml")
    assert (code, out) == (1, "")
    assert err.startswith("weir: error: ") and error in err, err


@pytest.mark.parametrize("flags,variables,error", [
    (["--web.listen-address=nowhere"], {}, "bad value 'nowhere' for --web.listen-address: no port"),
    ([], {"WEIR_WEB_LISTEN_ADDRESS": "x:y"}, "bad value 'x:y' for WEIR_WEB_LISTEN_ADDRESS: the port"),
    (["--config.file=missing.yml"], {}, "missing.yml: No such file or directory"),
    ([], {"WEIR_CONFIG_FILE": "missing.yml"}, "missing.yml: No such file or directory"),
    (["--web.config.file=missing.yml"], {},
     "bad value 'missing.yml' for --web.config.file: No such file or directory"),
    (["--group.ttl"], {}, "expected argument for flag '--group.ttl', try --help"),
])
def test_fault_elsewhere(tmp_path, flags, variables, error):
    code, out, err = check_config(tmp_path, *flags, variables=variables)
    assert (code, out) == (1, "")
    assert err.startswith(f"weir: error: {error}"), err


@pytest.mark.parametrize("flags,error", [
    (["--state.url=redis://h:x"],
     "bad value 'redis://...' for --state.url: the port of a host must be 1 to 65535"),
    (["--state.tls-ca-file=ca.pem", "--state.url=redis://h"],
     "bad value 'ca.pem' for --state.tls-ca-file: only with --state.url=rediss://..."),
    (["--state.on-outage=accept"],
     "bad value 'accept' for --state.on-outage: only with --state.url=redis://..."),
    (["--state.url=redis://:s3cret@h", "--state.password-file=password"],
     "bad value 'password' for --state.password-file: --state.url has a password, too"),
    (["--state.url=redis://h", "--state.password-file=missing"],
     "bad value 'missing' for --state.password-file: No such file or directory"),
    (["--state.url=redis://h", "--state.password-file=empty"],
     "bad value 'empty' for --state.password-file: its first line is empty"),
    (["--state.url=rediss://h", "--state.tls-ca-file=missing"],
     "bad value 'missing' for --state.tls-ca-file: No such file or directory"),
])
def test_fault_of_a_redis(tmp_path, flags, error):
    (tmp_path / "password").write_text("s3cret\n")
    (tmp_path / "empty").write_text("\n")
    code, out, err = check_config(tmp_path, *flags)
    assert (code, out) == (1, "")
    assert err.startswith(f"weir: error: {error}") and err.count("\n") == 1, err


@pytest.mark.parametrize("url", [
    "redis://weir:s3cret@h:port", "redis://weir:s3cret", "redis://weir:s3/cret@h", "redis:weir:s3cret@h",
    "redis://h?password=s3cret", "rediss://weir:s3cret%@h",
])
def test_errors_do_not_show_a_password(tmp_path, url):
    (tmp_path / "weir.yml").write_text(f"state.url: '{url}'\n")
    for flags, variables in (([f"--state.url={url}"], {}), ([], {"WEIR_STATE_URL": url}),
                             (["--config.file=weir.yml"], {})):
        code, out, err = check_config(tmp_path, *flags, variables=variables)
        assert (code, out) == (1, "")
        assert err.count("\n") == 1 and "bad value" in err
        assert "s3" not in err and "cret" not in err, err


def test_a_good_redis(tmp_path):
    (tmp_path / "password").write_text("s3cret\n")
    code, _, err = check_config(
        tmp_path, "--state.url=rediss://weir@a,b:7000/2?prefix=test", "--state.wait=1",
        "--state.password-file=password", "--state.tls-ca-file=password",
        "--state.tls-cert-file=password", "--state.tls-key-file=password")
    assert (code, err) == (0, "")


def test_print_config_does_not_show_a_password(tmp_path):
    done = subprocess.run([BINARY, "--print-config", "--state.url=redis://weir:s3cret@a:1,b/2"],
                          cwd=tmp_path, env=environment(), capture_output=True, text=True,
                          timeout=DEADLINE, check=True)
    assert "= redis://weir:xxxxx@a:1,b/2 " in done.stdout
    assert "s3cret" not in done.stdout


def test_weir_does_not_start_with_faults(tmp_path):
    (tmp_path / "weir.yml").write_text("group.tll: 1h\n")
    done = subprocess.run([BINARY, "--config.file=weir.yml", "--web.listen-address=127.0.0.1:0"],
                          cwd=tmp_path, env=environment(), capture_output=True, text=True,
                          timeout=DEADLINE, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("weir: error: weir.yml:1: unknown key 'group.tll'")
