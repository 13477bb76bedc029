"""Designs: how a study's arms are chosen. One file each; a new design is a new file here."""
