"""The gate: the one way out of a machine, on the host, where every request is named, judged and recorded."""
