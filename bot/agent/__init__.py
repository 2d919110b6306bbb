"""The loop that does what a session's journal calls for, against the seams: model, surface, machine, store."""
