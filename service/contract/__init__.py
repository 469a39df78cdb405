"""The words of the HTTP contract, by noun: frozen values with the bounds of every field.

No work and no import of other rooms but errors.
"""
