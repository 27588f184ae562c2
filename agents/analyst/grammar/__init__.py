"""From a question's words to its meaning: a lattice of words, typed rules over it, the best derivations."""
