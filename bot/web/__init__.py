"""The web application: health, metrics, and the routes that surfaces bring."""
