"""Files out of and into a thread. The bot token goes to Slack's own hosts and nowhere else."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urljoin

import aiohttp
import structlog

from bot.entries import Deliverable
from bot.heard import FileRef, Thread
from bot.surface import Gone, Refused, Unavailable
from bot.surfaces.slack.calls import Lost, SlackCalls
from bot.surfaces.slack.escape import one_line
from bot.surfaces.slack.settings import SlackSettings
from bot.surfaces.slack.threads import Threads
from bot.surfaces.slack.wire import Obj, number, obj, text
from bot.surfaces.slack.workspaces import Workspace

TRIES = 3
_SLOW = aiohttp.ClientTimeout(total=None, sock_connect=20, sock_read=120)
_CHUNK = 65_536
_HOPS = 4

log = structlog.get_logger(__name__)


class Files:
    """Uploads and downloads. `blobs` gives the path of a stored file by its sha256."""

    def __init__(
        self, settings: SlackSettings, calls: SlackCalls, threads: Threads, blobs: Callable[[str], Path]
    ) -> None:
        self._settings, self._calls, self._threads, self._blobs = settings, calls, threads, blobs

    async def hand_over(
        self, workspace: Workspace, thread: Thread, files: Sequence[Deliverable], after: str, look: bool
    ) -> None:
        """Put the files into the thread as one message. With `look`, those that stand after message `after` are not
        put there again. Empty files, which Slack does not take, are left out."""
        wanted = [file for file in files if file.size > 0]
        if look:
            wanted = await self._missing(workspace, thread, wanted, after)
        if not wanted:
            return
        uploaded = [{"id": await self._upload(workspace, file), "title": one_line(file.name, 200)} for file in wanted]
        body: Obj = {"files": uploaded, "channel_id": thread.channel, "thread_ts": thread.root}
        for attempt in range(1, TRIES + 1):
            try:
                await self._calls.call(workspace, "files.completeUploadExternal", body)
                return
            except Lost:
                if not await self._missing(workspace, thread, wanted, after):
                    return
                if attempt == TRIES:
                    raise

    async def _missing(
        self, workspace: Workspace, thread: Thread, files: Sequence[Deliverable], after: str
    ) -> list[Deliverable]:
        own = await self._threads.own(workspace, thread)
        there = [file for message in own if message.ts > after for file in message.files]
        missing: list[Deliverable] = []
        for file in files:
            if (_name(file), file.size) in there:
                there.remove((_name(file), file.size))
            else:
                missing.append(file)
        return missing

    async def _upload(self, workspace: Workspace, file: Deliverable) -> str:
        """Send the bytes; returns the file's id, not shown anywhere yet."""
        path = self._blobs(file.blob)
        for attempt in range(1, TRIES + 1):
            asked: Obj = {"filename": _name(file), "length": path.stat().st_size}
            answer = await self._calls.call(workspace, "files.getUploadURLExternal", asked)
            url = text(answer.get("upload_url"))
            if not self._settings.trusts(url):
                raise Refused(f"Slack named an upload address that is not Slack's for {file.name}.")
            try:
                with path.open("rb") as body:
                    async with self._calls.session.post(
                        url, data=body, timeout=_SLOW, proxy=self._settings.proxy or None, allow_redirects=False
                    ) as response:
                        if response.status == 200:
                            return text(answer.get("file_id"))
                        problem = f"HTTP {response.status}"
            except (aiohttp.ClientError, TimeoutError) as error:
                problem = type(error).__name__
            log.info("slack upload again", file=file.name, why=problem, attempt=attempt)
            await self._calls.pace.rest(0.3 * attempt)
        raise Unavailable(f"Slack did not take the file {file.name}.", 5.0)

    async def fetch(self, workspace: Workspace, file: FileRef, limit: int) -> AsyncIterator[bytes]:
        """The file's bytes. Raises Gone, Refused (too large, not the file, not Slack's host) or Unavailable."""
        file = await self._located(workspace, file)
        limit = min(limit, self._settings.file_limit)
        if file.size > limit:
            raise Refused(f"{file.name} has {file.size:,} bytes; at most {limit:,} are taken.")
        total = 0
        async with self._opened(workspace, file) as response:
            try:
                async for chunk in response.content.iter_chunked(_CHUNK):
                    total += len(chunk)
                    if total > limit:
                        raise Refused(f"{file.name} is larger than the {limit:,} bytes that are taken.")
                    yield chunk
            except (aiohttp.ClientError, TimeoutError) as error:
                raise Unavailable(f"The download of {file.name} broke off: {type(error).__name__}.") from error
        if file.size and total != file.size:
            raise Unavailable(f"{file.name} came with {total:,} bytes instead of {file.size:,}.")

    async def _located(self, workspace: Workspace, file: FileRef) -> FileRef:
        """The file with its address; in shared channels it has to be asked for first."""
        if file.locator:
            return file
        told = obj((await self._calls.call(workspace, "files.info", {"file": file.id})).get("file"))
        url = text(told.get("url_private_download")) or text(told.get("url_private"))
        if not url:
            raise Refused(f"Slack gives no address for {file.name}; it may be stored with another service.")
        name = one_line(text(told.get("name"))) or file.name
        return FileRef(file.id, name, text(told.get("mimetype")), number(told.get("size")), url)

    @asynccontextmanager
    async def _opened(self, workspace: Workspace, file: FileRef) -> AsyncGenerator[aiohttp.ClientResponse]:
        url = file.locator
        for _ in range(_HOPS):
            if not self._settings.trusts(url):
                raise Refused(f"{file.name} is not stored at Slack, so it was not fetched.")
            try:
                async with self._calls.session.get(
                    url,
                    headers={"Authorization": f"Bearer {workspace.token}"},
                    allow_redirects=False,
                    timeout=_SLOW,
                    proxy=self._settings.proxy or None,
                ) as response:
                    if response.status in (301, 302, 303, 307, 308):
                        url = urljoin(url, response.headers.get("Location", ""))
                        continue
                    _check(response, file)
                    yield response
                    return
            except (aiohttp.ClientConnectionError, TimeoutError) as error:
                raise Unavailable(f"{file.name} could not be fetched: {type(error).__name__}.") from error
        raise Refused(f"{file.name} is redirected too often.")


def _check(response: aiohttp.ClientResponse, file: FileRef) -> None:
    if response.status in (404, 410):
        raise Gone(f"{file.name} is no longer there.")
    if response.status == 429 or response.status >= 500:
        raise Unavailable(f"Slack could not give {file.name} just now (HTTP {response.status}).")
    if response.status != 200:
        raise Refused(f"Slack does not give {file.name} (HTTP {response.status}): is files:read granted?")
    page = response.content_type in ("text/html", "application/xhtml+xml")
    expected = file.mime in ("text/html", "application/xhtml+xml") and response.content_length in (None, file.size)
    if page and not expected:
        raise Refused(f"Slack gave its sign-in page instead of {file.name}: the bot may not read that file.")


def _name(file: Deliverable) -> str:
    return one_line(file.name.replace("/", "_").replace("\\", "_"), 200) or "file"
