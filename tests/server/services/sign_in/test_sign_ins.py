"""Password sign-in slows down guessing and does not lock other people out."""

import itertools
import threading

import pytest

from server.protocol.users.passwords import FREE_ATTEMPTS, FREE_ATTEMPTS_PER_ADDRESS
from server.services.refusals import Conflict, Invalid, NotFound
from server.services.sign_in.sign_in_attempts import TooManyAttempts
from server.services.sign_in.sign_ins import SIGNED_IN_MS, WrongPassword
from server.services.users.users import NewUser, UserChanges
from server.storage.users.passwords import Passwords as StoredPasswords
from tests.support.browsers.browser import PASSWORD
from tests.support.builders.app_users import give_password, passwords
from tests.support.builders.clock import HOUR
from tests.support.builders.installation import BY

HERE, THERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def sign_in(person, local):
    """Signs in with a password, as Ana by default."""
    give_password(local, person.user.name)

    def attempt(name="ana", password=PASSWORD, peer=HERE, cookie=""):
        return local.site.sign_in.sign_ins.sign_in(
            name, password, cookie=cookie, flow=None, peer=peer
        )

    return attempt


def current_user(local, cookie):
    """The name of the user who is signed in with this cookie, or None."""
    with local.services.store.read() as view:
        current = local.site.sign_in.sign_ins.current(view, cookie)
    return None if current is None else current.user.name


def test_a_correct_password_sets_a_new_cookie(sign_in, local):
    """Letter case of the name does not matter, and each sign-in gets its own cookie."""
    first, second = sign_in(), sign_in("ANA")
    assert first != second
    assert current_user(local, first) == current_user(local, second) == "ana"
    assert current_user(local, "") is None
    assert current_user(local, "sayso_br_none") is None
    assert len(local.admin.entries("sign_in.done")) == 2


def test_wrong_password_and_unknown_user_get_the_same_response(sign_in, local):
    """The same applies to a user without a password; each failure writes an audit entry."""
    local.admin.users.add(NewUser("ben"), by=BY)
    for name, password in (("ana", "wrong"), ("ben", PASSWORD), ("nobody", PASSWORD)):
        with pytest.raises(WrongPassword):
            sign_in(name, password)
    failed = local.admin.entries("sign_in.failed")
    assert [entry.get("cause") for entry in failed] == [None, None, "no such account"]
    assert "subject" not in failed[-1]


def test_storing_a_failure_writes_the_same_for_unknown_users(sign_in, monkeypatch):
    """A commit without writes would be faster and reveal who exists."""
    writes = []
    for method in ("keep_attempts", "clear_attempts"):
        real = getattr(StoredPasswords, method)

        def spy(self, *arguments, method=method, real=real):
            writes.append(method)
            return real(self, *arguments)

        monkeypatch.setattr(StoredPasswords, method, spy)
    for name in ("ana", "nobody"):
        with pytest.raises(WrongPassword):
            sign_in(name, "wrong")
    assert writes == ["keep_attempts"] * 4
    assert sign_in()
    assert writes[4:] == ["clear_attempts"]


def record_statements(local, monkeypatch, attempt):
    """Return the kinds of SQL statements that one attempt sends."""
    sent = []
    with local.services.store.read() as view:
        connection_type = type(view.passwords._db)
    for name in ("execute", "exec_driver_sql"):
        real = getattr(connection_type, name)

        def spy(self, statement, *more, real=real, **named):
            sent.append(str(statement).split(" WHERE ")[0])
            return real(self, statement, *more, **named)

        monkeypatch.setattr(connection_type, name, spy)
    with pytest.raises(WrongPassword):
        attempt()
    monkeypatch.undo()
    return sent


def test_known_and_unknown_users_cost_the_same_statements(sign_in, local, monkeypatch):
    """The response time must not reveal who exists."""
    for name in ("ana", "nobody"):  # fill the caches
        with pytest.raises(WrongPassword):
            sign_in(name, "wrong")
    known = record_statements(local, monkeypatch, lambda: sign_in("ana", "wrong"))
    unknown = record_statements(local, monkeypatch, lambda: sign_in("nobody", "wrong"))
    assert len(known) > 5
    assert known == unknown


WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
BOLD = str.maketrans({"a": "\U0001d41a", "n": "\U0001d427"})
CYRILLIC = str.maketrans({"a": "\u0430"})


def spellings(user):
    """Return a user's name and ID with different letter case, character forms and spacing."""
    cased = ["".join(letters) for letters in itertools.product("aA", "nN", "aA")]
    names = [*cased, *(name + "@Example.com" for name in cased)]
    formed = [name.translate(table) for name in names for table in (WIDE, BOLD)]
    unspaced = [*names, *formed, user.id, user.id.translate(WIDE)]
    return [before + name + after for name in unspaced for before, after in SPACES]


SPACES = (("", ""), (" ", ""), ("", "\t"), ("\u3000", " "))


def test_all_spellings_of_a_name_share_one_counter(sign_in, local):
    """A different spelling of the name does not add attempts."""
    user = local.admin.users.update("ana", UserChanges(email="ana@example.com"), by=BY)
    names = spellings(user)
    assert len(set(names)) > 164
    outcomes = [outcome(sign_in, spelling) for spelling in names]
    assert outcomes == [WrongPassword] * FREE_ATTEMPTS + [TooManyAttempts] * (
        len(names) - FREE_ATTEMPTS
    )
    local.clock.forward(1_000)
    assert outcome(sign_in, names[-1], PASSWORD) is None


def test_a_look_alike_name_cannot_sign_in(sign_in):
    """A letter from a different alphabet makes a different name."""
    assert outcome(sign_in, "ana".translate(CYRILLIC), PASSWORD) is WrongPassword
    assert outcome(sign_in, "ana", PASSWORD) is None


def outcome(sign_in, name, typed="wrong"):
    """Return the error type of an attempt, or None."""
    try:
        sign_in(name, typed)
    except (TooManyAttempts, WrongPassword) as error:
        return type(error)
    return None


def test_all_spellings_of_an_unknown_name_share_one_counter(sign_in):
    """Unknown names are slowed down like known names."""
    names = ("nobody", "NOBODY", " nobody ", "\uff4eobody", "nob\U0001d428dy", "NoBody", "nObody")
    outcomes = [outcome(sign_in, name) for name in names]
    assert outcomes == [WrongPassword] * FREE_ATTEMPTS + [TooManyAttempts] * 2


def test_attempts_for_many_users_are_limited_per_address(sign_in, local):
    """Other addresses are not affected, and correct passwords do not count."""
    for _ in range(2 * FREE_ATTEMPTS_PER_ADDRESS):
        assert sign_in()
    for number in range(FREE_ATTEMPTS_PER_ADDRESS):
        with pytest.raises(WrongPassword):
            sign_in(f"nobody-{number}", "wrong")
    for name in ("nobody", "ana"):
        with pytest.raises(TooManyAttempts):
            sign_in(name)
    assert sign_in(peer=THERE)
    local.clock.forward(1_000)
    assert sign_in()
    with pytest.raises(WrongPassword):
        sign_in("nobody", "wrong")
    with pytest.raises(TooManyAttempts) as slowed:
        sign_in("ana")
    assert slowed.value.seconds == 2


def test_an_unknown_address_is_not_limited(sign_in):
    """Behind a proxy everybody would share that limit; each user is still limited."""
    for number in range(FREE_ATTEMPTS_PER_ADDRESS + 1):
        with pytest.raises(WrongPassword):
            sign_in(f"nobody-{number}", "wrong", peer="")
    assert sign_in(peer="")
    for _ in range(FREE_ATTEMPTS):
        with pytest.raises(WrongPassword):
            sign_in(password="wrong", peer="")
    with pytest.raises(TooManyAttempts):
        sign_in(peer="")


def test_an_ipv6_host_counts_as_one_address(sign_in):
    """All addresses with the same /64 prefix share one counter."""
    for number in range(FREE_ATTEMPTS):
        with pytest.raises(WrongPassword):
            sign_in(password="wrong", peer=f"2001:db8::{number + 1:x}")
    with pytest.raises(TooManyAttempts):
        sign_in(peer="2001:db8::ffff")
    assert sign_in(peer="2001:db8:0:1::1")


def test_an_attempt_counts_before_the_password_is_compared(sign_in, local, monkeypatch):
    """A concurrent attempt over the limit is refused while the first is still compared."""
    for _ in range(FREE_ATTEMPTS - 1):
        with pytest.raises(WrongPassword):
            sign_in(password="wrong")
    comparing, go_on = threading.Event(), threading.Event()
    errors = []

    def compare_slowly(*_):
        comparing.set()
        go_on.wait(10)
        return False

    monkeypatch.setattr(local.site.sign_in.sign_ins.hasher, "verify", compare_slowly)

    def first():
        with pytest.raises(WrongPassword):
            sign_in(password="wrong")
        errors.append("wrong")

    thread = threading.Thread(target=first)
    thread.start()
    assert comparing.wait(10)
    with pytest.raises(TooManyAttempts):
        sign_in()
    go_on.set()
    thread.join(10)
    assert errors == ["wrong"]


def test_failed_sign_ins_do_not_affect_enrolled_devices(sign_in, person):
    """Enrolled devices keep working while the sign-in form is locked."""
    for _ in range(FREE_ATTEMPTS):
        with pytest.raises(WrongPassword):
            sign_in(password="wrong")
    with pytest.raises(TooManyAttempts):
        sign_in()
    assert person.call("GET", "/api/approvals").status == 200


def test_failures_slow_down_one_user_from_one_address(sign_in, local):
    """Other addresses and other users are not slowed down."""
    for _ in range(FREE_ATTEMPTS):
        with pytest.raises(WrongPassword):
            sign_in(password="wrong")
    with pytest.raises(TooManyAttempts) as slowed:
        sign_in()
    assert slowed.value.seconds == 1
    assert sign_in(peer=THERE)
    with pytest.raises(WrongPassword):
        sign_in("ben")
    local.clock.forward(1_000)
    assert sign_in()
    with pytest.raises(WrongPassword):
        sign_in(password="wrong")


def test_the_delay_doubles_and_is_reset_after_an_hour(sign_in, local):
    """After an hour without an attempt, the free attempts are available again."""
    for pause in (0, 0, 0, 0, 0, 1_000, 2_000, 4_000):
        local.clock.forward(pause)
        with pytest.raises(WrongPassword):
            sign_in(password="wrong")
    with pytest.raises(TooManyAttempts) as slowed:
        sign_in()
    assert slowed.value.seconds == 8
    local.clock.forward(HOUR)
    local.services.sweeper.tidy()
    with pytest.raises(WrongPassword):
        sign_in(password="wrong")
    assert sign_in()


def test_a_sign_in_ends_with_its_lifetime_its_user_or_its_sign_out(sign_in, local):
    """Enabling a disabled user again does not restore the sign-in."""
    cookie, other = sign_in(), sign_in()
    local.site.sign_in.sign_ins.sign_out(other)
    local.site.sign_in.sign_ins.sign_out(other)
    assert len(local.admin.entries("sign_in.ended")) == 1
    assert (current_user(local, cookie), current_user(local, other)) == ("ana", None)
    local.clock.forward(SIGNED_IN_MS - 1)
    assert current_user(local, cookie) == "ana"
    local.clock.forward(1)
    assert current_user(local, cookie) is None
    cookie = sign_in()
    local.admin.users.disable("ana", by=BY)
    with pytest.raises(WrongPassword):
        sign_in()
    local.admin.users.enable("ana", by=BY)
    assert current_user(local, cookie) is None


def test_signing_in_again_keeps_the_sid_and_changes_the_cookie(sign_in, local):
    """The browser keeps one sign-in, and its old cookie is refused."""
    first = sign_in()
    local.clock.forward(SIGNED_IN_MS - 1)
    second = sign_in(cookie=first)
    assert (current_user(local, first), current_user(local, second)) == (None, "ana")
    local.clock.forward(SIGNED_IN_MS - 1)
    assert current_user(local, second) == "ana"
    with local.services.store.read() as view:
        current = local.site.sign_in.sign_ins.current(view, second)
        assert view.sign_ins.of_user(current.user.id) == [current.sign_in.id]


def test_a_second_user_in_the_same_browser_signs_out_the_first(sign_in, local):
    """The first user's cookie is refused, and the audit entry names the cause."""
    local.admin.users.add(NewUser("ben"), by=BY)
    give_password(local, "ben")
    first = sign_in()
    second = sign_in("ben", cookie=first)
    assert (current_user(local, first), current_user(local, second)) == (None, "ben")
    (entry,) = local.admin.entries("sign_in.ended")
    assert entry["cause"] == "someone else signed in"


def test_changing_or_removing_a_password_signs_browsers_out(sign_in, local):
    """The old password and the cookies of earlier sign-ins are refused."""
    cookie = sign_in()
    admin = passwords(local)
    assert admin.set("ana", "another long one", by=BY).name == "ana"
    assert current_user(local, cookie) is None
    with pytest.raises(WrongPassword):
        sign_in()
    assert sign_in(password="another long one")
    (first, second) = local.admin.entries("password.set")
    assert (first["facts"], second["facts"]) == ({"sign_ins_ended": 0}, {"sign_ins_ended": 1})
    admin.remove("ana", by=BY)
    with pytest.raises(WrongPassword):
        sign_in(password="another long one")
    with pytest.raises(Conflict, match="has no password"):
        admin.remove("ana", by=BY)


def test_an_invalid_password_or_user_is_refused_when_setting_it(local):
    """A password that is too short is invalid, and an unknown user is not found."""
    with pytest.raises(Invalid, match="at least 12 characters"):
        passwords(local).set("ana", "short", by=BY)
    with pytest.raises(NotFound):
        passwords(local).set("nobody", PASSWORD, by=BY)


def test_a_password_changed_while_it_is_verified_is_refused(person, local, monkeypatch):
    """The password that was verified is no longer the current one."""
    give_password(local, person.user.name)
    hasher = local.site.sign_in.sign_ins.hasher
    verify = hasher.verify

    def verify_slowly(password, hashed):
        correct = verify(password, hashed)
        give_password(local, person.user.name, "another long one")
        return correct

    monkeypatch.setattr(hasher, "verify", verify_slowly)
    with pytest.raises(WrongPassword):
        local.site.sign_in.sign_ins.sign_in("ana", PASSWORD, cookie="", flow=None, peer=HERE)


def test_a_csrf_token_belongs_to_one_browser(local):
    """The token is derived from the cookie and does not reveal it."""
    sign_ins = local.site.sign_in.sign_ins
    first, second = sign_ins.new_cookie(), sign_ins.new_cookie()
    tokens = {sign_ins.csrf(cookie) for cookie in (first, second, first)}
    assert len(tokens) == 2
    assert not tokens & {first, second}
