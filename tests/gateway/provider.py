"""A real OpenID provider: idpyoidc's, behind a socket of its own. Whoever enters a known name is believed."""

import asyncio
import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
from cryptojwt.key_jar import build_keyjar
from idpyoidc.message.oidc import AuthorizationRequest
from idpyoidc.server import Server
from idpyoidc.server.configure import OPConfiguration
from idpyoidc.server.exception import ClientAuthenticationError
from idpyoidc.server.oidc.session import Session
from idpyoidc.server.user_authn.user import UserAuthnMethod, create_signed_jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT_ID, CLIENT_SECRET = "earshot", "client-secret-of-the-tests"
LIFETIME = 3600
KEYS = [{"type": "RSA", "use": ["sig"]}, {"type": "EC", "crv": "P-256", "use": ["sig"]}]
COOKIE_KEYS = {
    "key_defs": [{"type": "OCT", "use": ["enc"], "kid": "enc"}, {"type": "OCT", "use": ["sig"], "kid": "sig"}]
}
PEOPLE: dict[str, dict[str, Any]] = {
    "ana@company.example": {"name": "Ana Ruiz", "groups": ["staff", "product-managers"]},
    "olga@company.example": {"realm_access": {"roles": ["offline", "researcher"]}},
    "vic@company.example": {"name": "Vic", "groups": ["staff", "canteen <b>"]},
    "cara@customer.example": {
        "name": "Cara Blum",
        "email_verified": True,
        "customer_id": "customer-7",
        "account": "acme",
        "segment": {"plan": "pro", "region": "eu"},
    },
    "pia@prospect.example": {"name": "Pia", "customer_id": "auth0|8", "kind": "prospect"},
}
for name, person in PEOPLE.items():
    person["email"] = name


class ByName(UserAuthnMethod):  # type: ignore[misc]  # idpyoidc has no types
    """Asks for a name and believes it."""

    def __call__(self, **asked: Any) -> str:
        context = self.upstream_get("context")
        ticket = create_signed_jwt(context.issuer, self.upstream_get("attribute", "keyjar"), **asked)
        return (
            "<!doctype html><html lang=en><title>Example Company</title><h1>Example Company</h1>"
            f"<form method=post action=/verify><input type=hidden name=ticket value='{html.escape(ticket)}'>"
            "<label>Name <input name=name></label><button>Sign in</button></form>"
        )


class EndSession(Session):  # type: ignore[misc]
    """A browser ends its own session: there is no client to authenticate, which idpyoidc would stumble over."""

    def client_authentication(self, *_request: Any, **_about: Any) -> dict[str, str]:
        return {}


@dataclass
class Provider:
    """The provider; `in_id_token` are the claims it puts there, all others it tells at its userinfo endpoint.

    `client_methods`: how clients may prove at its token endpoint who they are.
    """

    issuer: str
    client_methods: tuple[str, ...] = ("client_secret_basic", "client_secret_post")
    in_id_token: tuple[str, ...] = ("groups", "email", "name")
    forge: Callable[[str], str] = lambda id_token: id_token
    authorizations: list[dict[str, str]] = field(default_factory=list)
    redemptions: list[dict[str, str]] = field(default_factory=list)
    proofs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = Server(OPConfiguration(self._configuration()), cwd=str(Path.cwd()))

    def register(self, site: str, **changed: Any) -> None:
        """Make Earshot at `site` known as a client."""
        self.server.context.cdb[CLIENT_ID] = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "redirect_uris": [(f"{site}/sign-in/callback", {})],
            "post_logout_redirect_uri": [(f"{site}/", {})],
            "token_endpoint_auth_method": "client_secret_basic",
            "id_token_signed_response_alg": "RS256",
            "response_types_supported": ["code"],
            "allowed_scopes": ["openid", "profile", "email"],
            "scopes_to_claims": {"openid": ["sub"], "profile": ["name", "groups", "realm_access"], "email": ["email"]},
            "add_claims": {"always": {"id_token": list(self.in_id_token)}},
            **changed,
        }

    def rotate_keys(self) -> None:
        """New signing keys; the old ones are published no longer."""
        fresh = build_keyjar(KEYS).export_jwks(private=True)
        for owner in ("", self.issuer):
            self.server.context.keyjar.load_keys(owner, jwks=fresh, replace=True)

    @property
    def key(self) -> Any:
        """The RSA key that signs ID tokens."""
        return self.server.context.keyjar.get_signing_key("RSA")[0]

    @property
    def app(self) -> Starlette:
        routes = [
            Route("/.well-known/openid-configuration", self._metadata),
            Route("/jwks.json", self._jwks),
            Route("/authorization", self._authorization),
            Route("/verify", self._verify, methods=["POST"]),
            Route("/token", self._token, methods=["POST"]),
            Route("/userinfo", self._userinfo),
            Route("/session", self._session),
            Route("/verify-logout", self._verify_logout),
        ]
        return Starlette(routes=routes)

    async def _metadata(self, _request: Request) -> Response:
        told = {"jwks_uri": f"{self.issuer}/jwks.json", "token_endpoint_auth_methods_supported": self.client_methods}
        return JSONResponse({**self.server.context.provider_info, **told})

    async def _jwks(self, _request: Request) -> Response:
        return JSONResponse(self.server.context.keyjar.export_jwks())

    async def _authorization(self, request: Request) -> Response:
        self.authorizations.append(dict(request.query_params))
        return await self._endpoint(request, "authorization", dict(request.query_params))

    async def _verify(self, request: Request) -> Response:
        """Somebody filled in the form."""
        form = await request.form()
        endpoint = self.server.get_endpoint("authorization")
        method = self.server.context.authn_broker.get_method_by_id("user")
        ticket = method.unpack_token(str(form["ticket"]))
        asked = AuthorizationRequest().from_urlencoded(ticket["query"])
        name = str(form["name"])
        if name not in PEOPLE:
            refusal = {"error": "access_denied", "error_description": f"{name} does not work here"}
            return RedirectResponse(
                str(endpoint.error_cls(**refusal, state=asked["state"]).request(asked["redirect_uri"])), 303
            )
        session = endpoint.create_session(asked, name, ticket["authn_class_ref"], ticket["iat"], method)
        return self._answer(endpoint, endpoint.authz_part2(request=asked, session_id=session), asked)

    async def _token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.redemptions.append(form)
        self.proofs.append(request.headers.get("authorization", "").partition(" ")[0])
        answer = await self._endpoint(request, "token", form)
        if answer.status_code != HTTPStatus.OK:
            return answer
        tokens = json.loads(bytes(answer.body))
        return JSONResponse(tokens | {"id_token": self.forge(tokens["id_token"])})

    async def _userinfo(self, request: Request) -> Response:
        return await self._endpoint(request, "userinfo", {})

    async def _session(self, request: Request) -> Response:
        return await self._endpoint(request, "session", dict(request.query_params))

    async def _verify_logout(self, request: Request) -> Response:
        """The provider would ask whether to sign out of everything; this one does."""
        endpoint = self.server.get_endpoint("session")
        said = endpoint.unpack_signed_jwt(request.query_params["sjwt"])
        endpoint.do_verified_logout(said["sid"], alla=True)
        response = RedirectResponse(said["redirect_uri"], 303)
        for name in self.server.context.cookie_handler.name.values():
            response.delete_cookie(name)
        return response

    async def _endpoint(self, request: Request, name: str, parameters: dict[str, str]) -> Response:
        endpoint = self.server.get_endpoint(name)
        about = {
            "headers": {key.lower(): value for key, value in request.headers.items()},
            "method": request.method,
            "url": str(request.url),
            "cookie": [{"name": key, "value": value.strip('"')} for key, value in request.cookies.items()],
        }

        def work() -> Response:
            try:
                asked = endpoint.parse_request(parameters, http_info=about)
            except ClientAuthenticationError as wrong:
                return JSONResponse({"error": "invalid_client", "error_description": str(wrong)}, 401)
            if "error" in asked:
                return JSONResponse(asked.to_dict(), 400)
            return self._answer(endpoint, endpoint.process_request(asked, http_info=about), asked)

        return await asyncio.to_thread(work)

    def _answer(self, endpoint: Any, done: Any, asked: Any) -> Response:
        if "http_response" in done:
            return HTMLResponse(done["http_response"])
        if "redirect_location" in done:
            return RedirectResponse(done["redirect_location"], 303)
        if "error" in done and endpoint.name != "authorization":
            return JSONResponse(done.to_dict() if hasattr(done, "to_dict") else done, 400)
        sent = endpoint.do_response(request=asked, **done)
        if endpoint.response_placement == "url":
            response: Response = RedirectResponse(sent["response"], 303)
        else:
            response = Response(sent["response"], media_type="application/json")
        for cookie in sent.get("cookie", ()):
            response.set_cookie(cookie["name"], cookie["value"])
        return response

    def _configuration(self) -> dict[str, Any]:
        def endpoint(path: str, kind: str, **options: Any) -> dict[str, Any]:
            return {"path": path, "class": f"idpyoidc.server.oidc.{kind}", "kwargs": options}

        jwt_token = {"class": "idpyoidc.server.token.jwt_token.JWTToken", "kwargs": {"lifetime": LIFETIME}}
        code = {"lifetime": 600, "kwargs": {"crypt_conf": {"kwargs": {"keys": COOKIE_KEYS}}}}
        names = {"session": "op", "register": "op_rp", "session_management": "op_sman"}
        cookies = {"keys": COOKIE_KEYS, "name": names}
        ending = {
            "logout_verify_url": f"{self.issuer}/verify-logout",
            "post_logout_uri_path": "bye",
            "signing_alg": "RS256",
        }
        pkce = {"essential": True, "code_challenge_methods": {"S256": None}}
        return {
            "issuer": self.issuer,
            "httpc_params": {"verify": False},
            "key_conf": {"key_defs": KEYS},
            "preference": {"subject_types_supported": ["public"]},
            "cookie_handler": {"class": "idpyoidc.server.cookie_handler.CookieHandler", "kwargs": cookies},
            "token_handler_args": {
                "code": code,
                "token": jwt_token,
                "refresh": jwt_token,
                "id_token": {"class": "idpyoidc.server.token.id_token.IDToken", "kwargs": {"lifetime": LIFETIME}},
            },
            "endpoint": {
                "provider_config": endpoint(
                    ".well-known/openid-configuration", "provider_config.ProviderConfiguration"
                ),
                "authorization": endpoint(
                    "authorization", "authorization.Authorization", response_types_supported=["code"]
                ),
                "token": endpoint("token", "token.Token", client_authn_method=[*self.client_methods]),
                "userinfo": endpoint("userinfo", "userinfo.UserInfo"),
                "session": {"path": "session", "class": EndSession, "kwargs": ending},
            },
            "add_on": {"pkce": {"function": "idpyoidc.server.oauth2.add_on.pkce.add_support", "kwargs": pkce}},
            "authentication": {"user": {"acr": "urn:example:name", "class": ByName, "kwargs": {}}},
            "userinfo": {"class": "idpyoidc.server.user_info.UserInfo", "kwargs": {"db": PEOPLE}},
        }


async def fill_in(client: httpx.AsyncClient, form: httpx.Response, name: str) -> str:
    """Sign in at the provider; gives the address it sends the browser back to."""
    [ticket] = re.findall("name=ticket value='([^']+)'", form.text)
    answer = await client.post(form.url.join("/verify"), data={"ticket": html.unescape(ticket), "name": name})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])
