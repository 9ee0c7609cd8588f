"""The parts that work with ESPnet. Importing this package registers the frontend."""

from pruneasr.plugin import install

install()
