"""The live page: a session's screen, terminal, files and timeline, for the people it works for."""
