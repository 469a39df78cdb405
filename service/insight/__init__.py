"""Why a part was judged so, and what another version would say.

Nothing here changes a model or a record.
"""
