"""Nothing that may be a secret is shown; what is plainly none stays."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluster.masking import MASK, masked_command, masked_start, masked_text, masked_value

SECRET_NAMES = [
    "API_KEY", "APIKEY", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "GITHUB_TOKEN", "HF_TOKEN", "TOKEN2", "DB_PASSWORD", "PGPASSWORD", "MYSQL_PWD",
    "DB_PASS", "DBPASS", "dbPassword", "privateKey", "PRIVATE", "SENTRY_DSN", "SESSION_ID", "SESSION", "COOKIE", "CSRF_COOKIE", "TLS_CERT", "SALT",
    "GOOGLE_APPLICATION_CREDENTIALS", "CREDENTIALS", "BASIC_AUTH", "HTTP_AUTHORIZATION", "X-Amz-Signature", "sig", "SSH_PASSPHRASE", "DB_PASSWD",
    "SLACK_WEBHOOK_URL", "AZURE_STORAGE_CONNECTION_STRING", "ＴＯＫＥＮ", "spring.datasource.password", "JWT", "SMTP_PW", "client-secret", "SSHKey", "MNEMONIC", "WALLET_SEED_PHRASE", "seedPhrase", "SEED_WORDS",
]  # fmt: skip


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_whatever_stands_under_a_secrets_name_is_hidden(name):
    assert masked_value(name, "plain") is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOGIN", "bob:hunter2"), ("BASIC", "user:hunter2"), ("DB_LOGIN", "'bob:hunter2'"), ("PIN", "1234"), ("OTP", "123456"), ("SIM_PIN", "1"),
        ("PASSWORD", "1"), ("DB_PASS", "0"), ("API_SECRET", "true"), ("TOKEN", "123456"), ("API_KEY", "1234567"), ("SESSION_ID", "1234567"),
        ("MAX_TOKENS", "40961234"), ("MAX_TOKENS", "abc"), ("API_KEY", "name"), ("KEY", "name"), ("SECRET_SORT_KEY", "name"), ("TOKEN_CACHE_KEY", "name"),
        ("SORT_KEY", "aB3xY"), ("CACHE_KEY", "e16f6a0d580c"), ("SORT_KEY", "correct horse"), ("CACHE_KEY_FILE", "name"), ("X_PW", "1"),
    ],
)  # fmt: skip
def test_some_values_are_hidden_under_some_names(name, value):
    assert masked_value(name, value) is None


@pytest.mark.parametrize(
    "value",
    [
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "postgres://app:hunter2@db/main", "redis://:hunter2@cache:6379/0",
        "https://ghp_abcdefghijklmnopqrst@github.com/a/b", "https://abcdef@host/simple", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "xoxb-1234567890-abcdefghij", "AIzaSyA1234567890abcdefghijklmnopqrs", "sk-abcdefghijklmnopqrst",
        "e16f6a0d580ceced592b6d91fd29b5baa7f6e16f6", "550e8400-e29b-41d4-a716-446655440000", "JBSWY3DPEHPK3PXPAB", "dXNlcjpwYXNzd29yZA==",
        "hooks.slack.com/services/T00/B00/xyz", "Bearer abcdefgh", "host=db user=app password=hunter2", "DefaultEndpointsProtocol=https;AccountKey=abc",
        "https://bucket/x?X-Amz-Signature=abc", '{"password": "hunter2"}', "--token hunter2",
    ],
)  # fmt: skip
def test_values_that_look_like_credentials_are_hidden_under_any_name(value):
    assert masked_value("SETTING", value) is None
    assert masked_value("SETTING", f"see {value} there") is None or value.endswith("==")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PATH", "/usr/local/sbin:/usr/local/bin:/opt/conda/bin"), ("PWD", "/work"), ("OLDPWD", "/tmp"), ("LD_LIBRARY_PATH", "/usr/lib/x86_64-linux-gnu"),
        ("PYTHONPATH", "/nix/store/00k2nbl2dq3vn9a8rh1cmvdq9p5l7x2z-python3-3.11/lib"), ("TOKENIZERS_PARALLELISM", "false"), ("GIT_AUTHOR_NAME", "Ann Other"),
        ("AUTHOR", "ann"), ("OMP_NUM_THREADS", "16"), ("LR", "3e-4"), ("RATIO", "0.30000000000000004"), ("MODE", "train"), ("EMPTY", ""),
        ("PYTHONHASHSEED", "0"), ("MODEL", "meta-llama/Llama-3.1-8B-Instruct"), ("IMAGE", "nvidia/cuda:12.2.0-cudnn8-devel-ubuntu22.04"),
        ("HOST", "db-1.eu-west-1a.example.internal:5432"), ("URL", "https://example.org:8443/simple/?page=2&sort=name"), ("REPO", "ssh://git@example.org/a/b.git"),
        ("TEXT", "The quick brown fox jumps over internationalization, twice."), ("WHEN", "2026-11-23T17:08:51.379364092Z"), ("LANG", "C.UTF-8"),
        ("CLASS", "MyVeryLongClassNameForTesting"), ("REVISION", "e16f6a0"), ("PORT_HTTP", "8080"), ("KERNEL", "4.18.0-372.9.1.el8.x86_64"),
        ("LS_COLORS", "rs=0:di=01;34:ln=01;36:*.tar=01;31"), ("MASTER_ADDR", "[::1]:29500"), ("KEYCLOAK_REALM", "main"),
        ("PIN_MEMORY", "1"), ("PIN_MEMORY", "True"), ("MAX_TOKENS", "4096"), ("MAX_NEW_TOKENS", "131072"), ("SORT_KEY", "name"), ("CACHE_KEY", "v1"),
        ("PRIMARY_KEY", "user_id"), ("partition-key", "day"), ("rowKey", "id"), ("KEY_SIZE", "2048"), ("TOKEN_TTL", "3600"), ("USE_AUTH", "false"),
        ("SESSION_TIMEOUT", "0.5"), ("LOGIN", "bob"), ("BASIC", "yes"), ("SEED", "42"), ("LOGIN_URL", "http://host/a"), ("PHRASE", "a few words"),
    ],
)  # fmt: skip
def test_what_is_plainly_no_secret_stays(name, value):
    assert masked_value(name, value) == value


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:pass@host/x.zip", "https://***@host/x.zip"),
        ("s3://bucket/key/bundle.zip", "s3://bucket/key/bundle.zip"),
        ("https://host/a.zip?sv=2024&sig=abc%3D&se=1", "https://host/a.zip?sv=2024&sig=***&se=1"),
        ("https://b.example/x?X-Amz-Credential=a%2Fb&X-Amz-Signature=0f&X-Amz-Date=1", "https://b.example/x?X-Amz-Credential=***&X-Amz-Signature=***&X-Amz-Date=1"),
        ("a=b=token=abc", "a=b=token=***"),
        ("LOGIN=bob:hunter2 ./run basic: ann:pw login: http://host", "LOGIN=bob:*** ./run basic: ann:*** login: http://host"),
        ("u://x:p/w@host/path and https://a@b", "u://***@host/path and https://***@b"),
        ("https://host/@scope/pkg https://host/?mail=a@b", "https://host/@scope/pkg https://host/?mail=a@b"),
        ("ssh://git@host/x ssh://git:pw@host/x", "ssh://git@host/x ssh://***@host/x"),
        ("file:///srv/bundles/0f3e.zip", "file:///srv/bundles/0f3e.zip"),
        ("curl -u ann:pw -H 'Cookie: a=b; c=d' --password \"a b\" x", "curl -u ann:*** -H 'Cookie: ***' --password *** x"),
        ('{"user": "ann", "password": "a\\" b", "n": 1}', '{"user": "ann", "password": *** "n": 1}'),
        ("Authorization: Bearer abc rest", "Authorization: *** rest"),
        ("-c -token abc", "-c -token ***"),
        ("token=//abc, curl -uann:pw x", "token=*** curl -uann:*** x"),
        ("TOKEN=abc ./run --epochs 3", "TOKEN=*** ./run --epochs 3"),
        ("x -----BEGIN PRIVATE KEY-----\nabc", "x ***"),
        ("clone with ghp_abcdefghijklmnopqrst now", "clone with *** now"),
        ("python train.py --fold 3 --out /data/run1", "python train.py --fold 3 --out /data/run1"),
    ],
)  # fmt: skip
def test_texts_keep_all_but_their_secrets(text, shown):
    assert masked_text(text) == shown


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["run", "--token", "abc", "--epochs", "3"], ["run", "--token", MASK, "--epochs", "3"]),
        (["run", "--password=a b&c", "x"], ["run", "--password=***", "x"]),
        (["run", "--token=//abc", "API_KEY=//abc", "--url=file:///x"], ["run", "--token=***", "API_KEY=***", "--url=file:///x"]),
        (["run", "--use-token", "--epochs", "3"], ["run", "--use-token", "--epochs", "3"]),
        (["curl", "-u", "ann:pw", "-H", "X-Api-Key: a b"], ["curl", "-u", "ann:***", "-H", "X-Api-Key: ***"]),
        (["env", "DB_PASS=a b", "MODE=x"], ["env", "DB_PASS=***", "MODE=x"]),
        (["sh", "-c", "TOKEN=abc ./run --epochs 3"], ["sh", "-c", "TOKEN=*** ./run --epochs 3"]),
        (["git", "clone", "https://u:p@host/x"], ["git", "clone", "https://***@host/x"]),
        (["python", "-c", "print('hello')"], ["python", "-c", "print('hello')"]),
    ],
)  # fmt: skip
def test_commands_keep_their_words(words, shown):
    assert masked_command(words) == shown


def test_a_long_text_is_cut_where_a_word_ends():
    assert masked_start("see https://u:p@host/") == "see https://***@host/"
    assert masked_start("ab " * 2000 + "end") == f"{('ab ' * 1365).strip()}… (cut: 6,003 characters in all)"
    assert masked_start("x" * 5000) == "… (cut: 5,000 characters in all)"


LETTERS = string.ascii_letters + string.digits
SECRETS = st.text(LETTERS + "!#$%+/:;,=?@[]^_{}~", min_size=8, max_size=40).map(lambda text: f"{text[:3]}Zq{text[3:]}7")
AROUND = st.text(LETTERS + " -=\n\t&'\"\\:/?@", max_size=30).filter(lambda text: "Zq" not in text)


@given(st.sampled_from(SECRET_NAMES), st.text(min_size=8) | st.from_regex(r"\A[B-Zb-z]{5,20}\Z"))
def test_a_variable_with_a_secrets_name_never_shows_its_value(name, value):
    assert masked_value(name, value) is None
    assert masked_value(f"MY_{name}_FILE", value) is None


@given(
    st.sampled_from(SECRET_NAMES).filter(str.isascii),
    SECRETS,
    st.sampled_from(["--{}={}", "{}={}", "-{}={}", "{}: {}"]),
    st.lists(AROUND, max_size=3),
)
def test_a_secret_in_one_word_never_appears(name, secret, form, words):
    assert secret not in "\n".join(masked_command([*words, form.format(name, secret), *words]))


@given(
    st.sampled_from(SECRET_NAMES).filter(str.isascii),
    SECRETS,
    st.sampled_from(["-", "--"]),
    st.lists(AROUND, max_size=3),
)
def test_a_secret_behind_its_option_never_appears(name, secret, dashes, words):
    assert secret not in "\n".join(masked_command([*words, dashes + name, secret, *words]))


@given(
    st.text(LETTERS, min_size=8),
    st.sampled_from(["https", "postgresql", "redis", "git+ssh"]),
    st.text(LETTERS, max_size=5),
)
def test_a_password_in_an_address_never_appears(secret, scheme, user):
    secret = f"Zq{secret}"
    address = f"{scheme}://{user}:{secret}@host/path"
    assert secret not in masked_text(f"see {address}, twice: {address}")
    assert masked_value("ADDRESS", address) is None


@given(
    st.sampled_from(["sig", "token", "X-Amz-Signature", "access_token"]), st.text(LETTERS + "%._~-", min_size=8), AROUND
)
def test_a_parameter_with_a_secret_never_appears(name, secret, rest):
    secret = f"Zq{secret}"
    for sign in "?&":
        assert secret not in masked_text(f"https://host/x{sign}{name}={secret}&page=1 {rest}")


@given(st.integers(0, 2**128 - 1), st.sampled_from(["{:032x}", "{:040X}"]))
def test_long_hex_is_hidden_unless_it_is_nearly_a_number(number, form):
    text = form.format(number | 0xABCDEF << 100)
    assert masked_value("PLAIN", text) is None


@given(st.text())
def test_any_text_is_taken_and_masking_again_changes_nothing(text):
    once = masked_text(text)
    assert masked_text(once) == once
    masked_value(text, text)
    masked_command([text, text])


PIECES = ["a", "A", "aB", "://", "a://b:", "token=", 'token="\\"', "token='", "-token ", '--token="', " ", "\\", "-----BEGIN ", "-----END", "eyJ", "a.", "@", "&", "-u a", "token: ", '"token:', "/a", "/ab/:", "Aa", "sk-", "bot1", "login=", "basic:a", "0", 'x="token:']  # fmt: skip


@pytest.mark.parametrize(
    ("piece", "size"), [*((piece, 2**14) for piece in PIECES), *((piece, 2**17) for piece in ("".join(PIECES), "a", "/a", "a://b:"))]
)  # fmt: skip
def test_much_of_anything_is_judged(piece, size):
    text = piece * (size // len(piece))
    assert isinstance(masked_text(text), str)
    assert len(masked_command(["--token=" + text, "https://" + text[: 2**14], text[: 2**14]])) == 3
    masked_value("PLAIN", text[: 2**14])
    masked_value(text, "x")
