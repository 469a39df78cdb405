"""Statistics of scores, pure: threshold, exact intervals, AUROC and AU-PRO.

Nothing about pictures or disks.
"""
