"""Signing people in with an OpenID provider: what is asked of it, what is bound to the browser, what is checked.

The authorization code flow with PKCE (OpenID Connect Core 1.0, section 3.1; RFC 7636; RFC 9207; RP-Initiated Logout).
Whoever uses it decides what the claims mean and words the failures.
"""
