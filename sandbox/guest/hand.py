"""`hand`: what programs in the machine may ask of the session they belong to.

Hides the broker: one line of JSON to its socket, one line back. Whatever is asked is judged like the session's own
calls; nothing here holds a right or a credential. Stands alone: only the standard library.
"""

import argparse
import json
import os
import socket
import sys

BROKER = "/run/threadhand/broker"
HOME = "/home/agent"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="hand", description="Speak to the session this machine belongs to.")
    commands = made.add_subparsers(dest="command", required=True)
    plan = commands.add_parser("plan", help="put the plan on the card")
    plan.add_argument("goal", help="the request in the person's own terms")
    plan.add_argument("--done", action=Step, dest="steps", metavar="STEP")
    plan.add_argument("--doing", action=Step, dest="steps", metavar="STEP")
    plan.add_argument("--todo", action=Step, dest="steps", metavar="STEP")
    note = commands.add_parser("note", help="a note that survives")
    note.add_argument("text")
    deliver = commands.add_parser("deliver", help="hand a file over with the answer")
    deliver.add_argument("path")
    deliver.add_argument("--name", default="", help="the name people see")
    ask = commands.add_parser("ask", help="ask the person, and wait for the answer")
    ask.add_argument("question")
    ask.add_argument("--option", action="append", default=[], help="an answer to choose from")
    ask.add_argument("--default", default="", help="what holds when nobody answers in time")
    commands.add_parser("status", help="what the session is doing, as JSON")
    return made


class Step(argparse.Action):
    """A step of a plan; the option says its state, the order on the command line is the plan's."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        before: list[dict[str, str]] = getattr(namespace, self.dest) or []
        step = {"text": str(values), "state": (option_string or "--todo")[2:]}
        setattr(namespace, self.dest, [*before, step])


def request(given: argparse.Namespace) -> dict[str, object]:
    """What goes to the broker."""
    match given.command:
        case "plan":
            steps = given.steps or [{"text": given.goal, "state": "doing"}]
            return {"do": "plan", "arguments": {"goal": given.goal, "steps": steps}}
        case "note":
            return {"do": "note", "arguments": {"text": given.text}}
        case "deliver":
            path = os.path.join(os.getcwd(), given.path)
            return {"do": "deliver", "arguments": {"path": path, "name": given.name}}
        case "ask":
            question = {"text": given.question, "options": given.option, "default": given.default}
            return {"do": "ask", "arguments": {"questions": [question]}}
        case _:
            return {"do": "status", "arguments": {}}


def converse(asked: dict[str, object], address: str = BROKER) -> tuple[bool, str]:
    """Ask and wait for the answer. Raises OSError when there is nobody to ask."""
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(address)
        link.sendall(json.dumps(asked).encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            piece = link.recv(65536)
            if not piece:
                break
            answer += piece
    said = json.loads(answer or b'{"ok": false, "output": "The session ended before it answered."}')
    return bool(said["ok"]), str(said["output"])


def main() -> int:
    """0: done; 1: refused; 2: wrong words; 3: nobody to ask."""
    asked = request(parser().parse_args())
    try:
        ok, output = converse(asked)
    except OSError as error:
        print(f"hand: the session cannot be reached: {error}", file=sys.stderr)  # noqa: T201
        return 3
    print(output, file=sys.stdout if ok else sys.stderr)
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
