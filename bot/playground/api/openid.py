"""openid.connect.*: who signed in, told to an app that has a code from the sign-in page."""

import secrets
import time

from bot.playground.api.call import Call
from bot.playground.people import CLIENT_ID, CLIENT_SECRET
from bot.playground.shapes import Obj, SlackError

SCOPE = "openid profile"


async def token(call: Call) -> Obj:
    """Exchanges a code, which is good once.

    Raises `invalid_client_id`, `bad_client_secret`, `invalid_code`, `bad_redirect_uri`.
    """
    given = call.client if call.client[0] else (call.text("client_id"), call.text("client_secret"))
    if given[0] != CLIENT_ID:
        raise SlackError("invalid_client_id")
    if not secrets.compare_digest(given[1].encode(), CLIENT_SECRET.encode()):
        raise SlackError("bad_client_secret")
    code = call.site.codes.get(call.text("code"))
    if code is None or time.monotonic() > code.until or "openid" not in code.scope.split():
        raise SlackError("invalid_code")
    if call.text("redirect_uri") != code.redirect_uri:
        raise SlackError("bad_redirect_uri")
    del call.site.codes[call.text("code")]
    made = f"xoxp-{secrets.token_hex(12)}"
    call.site.sign_ins[made] = code.user
    return {"access_token": made, "token_type": "Bearer", "id_token": ""}


async def user_info(call: Call) -> Obj:
    """The person a token was made for. Raises `invalid_auth`."""
    person = call.workspace.people.get(call.site.sign_ins.get(call.text("token"), ""))
    if person is None:
        raise SlackError("invalid_auth")
    return {
        "sub": person.id,
        "https://slack.com/user_id": person.id,
        "https://slack.com/team_id": person.team,
        "name": person.name,
        "email": person.email,
    }
