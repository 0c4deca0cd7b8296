"""An OpenID Connect issuer, and the tokens that it signs (RFC 7519)."""
