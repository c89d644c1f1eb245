"""`media-events verify`: whether a deployment is there, may do its work, and tells somebody when it can't."""
