"""Image corpora behind one interface: embedded, fetched on request, or the user's own files."""

from liescope.data.corpora.corpus import Corpus
from liescope.data.corpora.registry import CORPORA, load_corpus

__all__ = ["CORPORA", "Corpus", "load_corpus"]
