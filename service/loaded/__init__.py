"""What is kept in memory: models, layouts, known scores.

Reading them from disk, never changing them.
"""
