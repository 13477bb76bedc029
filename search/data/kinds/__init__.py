"""One file a data set. A new one is a new file here: a spec with a ``kind``, its facts, and how it loads."""
