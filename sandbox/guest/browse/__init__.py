"""The browser program: runs in the machine as the browser's own user, told what to do over a private socket."""
