"""The pure heart: a journal folded to a state, the state's next step, and what it owes its thread."""
