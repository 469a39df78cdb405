"""The operator's screen: verdict of the part that is there now."""
