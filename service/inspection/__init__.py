"""One part judged, recorded and found again.

Teaching is in `teaching`, the picture arithmetic in `vision`.
"""
