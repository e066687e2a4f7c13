"""The one address people and systems use: routes by the service's name, signs people in, shows the loop."""
