"""The Web API: which methods there are, whose token each wants, and how a request becomes a call.

Hides encodings (query, form, JSON), tokens, rate tiers and injected trouble from the method files. A new method
is one function and one line in `METHODS`.
"""

import base64
import binascii
import hmac
import json
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.playground.api import agents, chat, conversations, files, oauth, openid, reactions, streams, users, views
from bot.playground.api.call import Call, Method
from bot.playground.chaos import Fault
from bot.playground.messages import Installation
from bot.playground.people import APP_TOKEN
from bot.playground.shapes import Obj, SlackError, as_obj, as_text
from bot.playground.site import Site

METHODS: dict[str, Method] = {
    "agents.sessions.rename": agents.rename,
    "agents.sessions.setStatus": agents.set_status,
    "assistant.threads.setStatus": agents.thread_status,
    "assistant.threads.setSuggestedPrompts": agents.suggested_prompts,
    "assistant.threads.setTitle": agents.thread_title,
    "auth.test": users.auth_test,
    "chat.appendStream": streams.append,
    "chat.delete": chat.delete,
    "chat.getPermalink": chat.get_permalink,
    "chat.postEphemeral": chat.post_ephemeral,
    "chat.postMessage": chat.post_message,
    "chat.startStream": streams.start,
    "chat.stopStream": streams.stop,
    "chat.update": chat.update,
    "conversations.history": conversations.history,
    "conversations.info": conversations.info,
    "conversations.list": conversations.list_,
    "conversations.members": conversations.members,
    "conversations.open": conversations.open_,
    "conversations.replies": conversations.replies,
    "files.completeUploadExternal": files.complete_upload,
    "files.delete": files.delete,
    "files.getUploadURLExternal": files.get_upload_url,
    "files.info": files.info,
    "reactions.add": reactions.add,
    "reactions.remove": reactions.remove,
    "users.info": users.info,
    "users.list": users.list_,
    "views.open": views.open_,
    "views.publish": views.publish,
    "views.push": views.push,
    "views.update": views.update,
}
APP_METHODS: dict[str, Method] = {"apps.connections.open": oauth.open_connection}
OPEN_METHODS: dict[str, Method] = {"oauth.v2.access": oauth.access, "openid.connect.token": openid.token}
SIGNED_IN_METHODS: dict[str, Method] = {"openid.connect.userInfo": openid.user_info}


async def serve_call(site: Site, request: Request) -> tuple[Response, bool]:
    """Answers a request to /api/<method>. True beside the answer means: cut the connection instead."""
    method = request.path_params["method"]
    fault = site.chaos.next_fault(method)
    if fault and fault.when == "before":
        return _failing(fault), fault.kind == "cut"
    answer = await _answer(site, method, request)
    if fault:
        return _failing(fault), fault.kind == "cut"
    return answer, False


async def _answer(site: Site, method: str, request: Request) -> Response:
    try:
        args = await arguments(request)
        handler, call = _prepared(site, method, request, args)
        token = call.installed.token if call.installed else "app"
        wait = site.limiter.wait(site.limits, token, method, as_text(args.get("channel")))
        if wait:
            return _limited(wait)
        return JSONResponse({"ok": True, **await handler(call)})
    except SlackError as error:
        return JSONResponse({"ok": False, "error": error.code, **error.extra})


def _prepared(site: Site, method: str, request: Request, args: Obj) -> tuple[Method, Call]:
    """The handler and its call, once the token fits the method. Raises `unknown_method` and token errors."""
    if method in OPEN_METHODS:
        return OPEN_METHODS[method], Call(site, args, client=_basic(request))
    token = _token(request, args)
    if method in SIGNED_IN_METHODS:
        return SIGNED_IN_METHODS[method], Call(site, {**args, "token": token})
    if method in APP_METHODS:
        if not token:
            raise SlackError("not_authed")
        if not hmac.compare_digest(token.encode(), APP_TOKEN.encode()):
            raise SlackError("not_allowed_token_type" if token in site.workspace.installations else "invalid_auth")
        return APP_METHODS[method], Call(site, args)
    if method not in METHODS:
        raise SlackError("unknown_method", req_method=method)
    return METHODS[method], Call(site, args, installation_of(site, token))


def installation_of(site: Site, token: str) -> Installation:
    """Whose token this is.

    Raises `not_authed` without one, `not_allowed_token_type`, `invalid_auth`, `token_expired`.
    """
    if not token:
        raise SlackError("not_authed")
    if token == APP_TOKEN:
        raise SlackError("not_allowed_token_type")
    found = site.workspace.installations.get(token)
    if found is None:
        raise SlackError("invalid_auth")
    if found.expires_at is not None and time.time() > found.expires_at:
        raise SlackError("token_expired")
    return found


async def arguments(request: Request) -> Obj:
    """Query, form and JSON arguments in one object. Raises `invalid_json`, `json_not_object`."""
    args: Obj = dict(request.query_params)
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/json"):
        raw = await request.body()
        try:
            body: Any = json.loads(raw or b"{}")
        except ValueError:
            raise SlackError("invalid_json") from None
        if not isinstance(body, dict):
            raise SlackError("json_not_object")
        return args | as_obj(body)
    if kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        async with request.form() as form:
            return args | {key: value for key, value in form.items() if isinstance(value, str)}
    return args


def bearer(request: Request) -> str:
    """The Bearer token of a request, or an empty string."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _token(request: Request, args: Obj) -> str:
    return bearer(request) or str(args.pop("token", "") or "")


def _basic(request: Request) -> tuple[str, str]:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ("", "")
    try:
        user, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ("", "")
    return (user, secret)


def _limited(seconds: int) -> Response:
    return JSONResponse({"ok": False, "error": "ratelimited"}, 429, headers={"Retry-After": str(seconds)})


def _failing(fault: Fault) -> Response:
    if fault.kind == "429":
        return _limited(1)
    return Response("Internal Server Error", 500, media_type="text/plain")
