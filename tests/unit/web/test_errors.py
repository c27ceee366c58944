import pytest

from fluster.errors import AlreadyExistsError, Code, InvalidArgumentError, RequestError
from fluster.web.errors import CONNECT_CODES, HTTP_STATUS, fields_named


def test_every_code_has_its_status_and_its_connect_code():
    assert set(HTTP_STATUS) == set(CONNECT_CODES) == set(Code)
    assert {HTTP_STATUS[code] for code in Code} <= {400, 401, 403, 404, 409, 413, 422, 429, 503}


def test_every_request_error_has_a_code():
    assert {error.code for error in RequestError.__subclasses__()} <= set(Code)


def test_a_field_is_called_as_the_door_calls_it():
    with pytest.raises(InvalidArgumentError) as refused, fields_named({"regex": "grep"}):
        raise InvalidArgumentError("regex", "it is odd")
    assert (refused.value.field, str(refused.value)) == ("grep", "grep: it is odd")


@pytest.mark.parametrize("error", [InvalidArgumentError("limit", "x"), AlreadyExistsError("x")])
def test_other_errors_pass_unchanged(error):
    with pytest.raises(RequestError) as refused, fields_named({"regex": "grep"}):
        raise error
    assert refused.value is error
