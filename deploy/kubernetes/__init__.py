"""The installation on Kubernetes: `base` for kustomize, `kafka` for the Strimzi operator, both generated."""
