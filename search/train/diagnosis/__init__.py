"""What a trial tells about itself: how its gradients, updates, activations and losses went, and what was wrong with it.

``watch`` looks while the trial trains, and changes nothing; ``rules`` makes sentences of what it saw, each only when it
matters; ``lesion`` takes branches out of a trained network. A new rule is a function in ``rules``.
"""
