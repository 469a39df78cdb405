"""What every screen is made of: theme, words, number formats, SVG.

Nothing about one screen, no calls to the service.
"""
