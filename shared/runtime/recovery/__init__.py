"""Going back to what was: state built again from the log, and a service that goes on from an old backup."""
