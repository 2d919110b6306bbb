"""Chat products, each in a package of its own behind bot.surface.Surface."""
