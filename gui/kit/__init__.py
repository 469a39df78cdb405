"""The building blocks of every screen: theme, texts, number formats, SVG, tables, widgets.

Knows no screen and makes no call to the service.
"""
