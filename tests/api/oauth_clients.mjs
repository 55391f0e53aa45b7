// SPDX-License-Identifier: Apache-2.0
// Three OAuth libraries that are not ours get access tokens, use them and give them back:
// oauth4webapi, openid-client, simple-oauth2.  Run with --experimental-global-webcrypto.
//
// Environment: BASE, CLIENT, SECRET, KEY_FILE (PKCS#8, P-256), KID, ACCOUNT, BODY.
import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import * as oauth from "oauth4webapi";
import { Issuer } from "openid-client";
import { ClientCredentials } from "simple-oauth2";

const { BASE, CLIENT, SECRET, KEY_FILE, KID, ACCOUNT, BODY } = process.env;
const tokenUrl = `${BASE}/sti-pa/account/${ACCOUNT}/token`;
const key = createPrivateKey(readFileSync(KEY_FILE));
let done = 0;

async function step(what, run) {
  try {
    await run();
    done++;
    console.log(`  ok: ${what}`);
  } catch (error) {
    console.log(`  FAULT: ${what}:`, error);
    process.exitCode = 1;
  }
}

// RFC 6750 section 2.1, RFC 9448 section 5.5: what the access token is for.
async function check_spc_answer(response) {
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  assert.equal(answer.status, "success");
  assert.equal(answer.token.split(".").length, 3);
}

function check_refused(error, status, code) {
  const seen = error.status ?? error.cause?.status ?? error.response?.statusCode ??
    error.output?.statusCode;
  const told = error.error ?? error.data?.payload?.error ?? error.cause?.[0]?.scheme;
  assert.equal(seen, status, `${error}`);
  assert.ok([code, "basic"].includes(told), `told ${told}`);
}

// ---- oauth4webapi ----

const issuer = new URL(BASE);
const server = await oauth.processDiscoveryResponse(
  issuer, await oauth.discoveryRequest(issuer, { algorithm: "oauth2" }));
const me = { client_id: CLIENT };
const der = key.export({ type: "pkcs8", format: "der" });
const webKey = await crypto.subtle.importKey(
  "pkcs8", der, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
const methods = {
  client_secret_basic: oauth.ClientSecretBasic(SECRET),
  client_secret_post: oauth.ClientSecretPost(SECRET),
  private_key_jwt: oauth.PrivateKeyJwt({ key: webKey, kid: KID }),
};

async function grant(authentication, scope = "spc-token") {
  const response = await oauth.clientCredentialsGrantRequest(
    server, me, authentication, new URLSearchParams({ scope }));
  return oauth.processClientCredentialsResponse(server, me, response);
}

async function use(token) {
  return oauth.protectedResourceRequest(
    token, "POST", new URL(tokenUrl), new Headers({ "content-type": "application/json" }), BODY);
}

for (const [name, authentication] of Object.entries(methods))
  await step(`oauth4webapi, ${name}`, async () => {
    const granted = await grant(authentication);
    assert.equal(granted.token_type, "bearer"); // in lower case, as the library reads it
    assert.ok(granted.expires_in > 0 && granted.expires_in <= 3600);
    await check_spc_answer(await use(granted.access_token));
    const given = await oauth.revocationRequest(server, me, authentication, granted.access_token);
    await oauth.processRevocationResponse(given);
    await assert.rejects(use(granted.access_token), (error) => {
      assert.equal(error.status ?? error.response?.status, 401);
      assert.equal(error.cause[0].parameters.error, "invalid_token");
      return true;
    });
  });
await step("oauth4webapi, a wrong secret", () =>
  assert.rejects(grant(oauth.ClientSecretBasic("wrong")),
    (error) => (check_refused(error, 401, "invalid_client"), true)));
await step("oauth4webapi, a wrong secret in the body", () =>
  assert.rejects(grant(oauth.ClientSecretPost("wrong")),
    (error) => (check_refused(error, 401, "invalid_client"), true)));
await step("oauth4webapi, a wrong scope", () =>
  assert.rejects(grant(methods.client_secret_basic, "everything"),
    (error) => (check_refused(error, 400, "invalid_scope"), true)));

// ---- openid-client ----

const found = await Issuer.discover(`${BASE}/.well-known/oauth-authorization-server`);
const jwk = { ...key.export({ format: "jwk" }), kid: KID, alg: "ES256", use: "sig" };

function openid_client(method, secret) {
  return new found.Client({
    client_id: CLIENT, token_endpoint_auth_method: method, response_types: [], redirect_uris: [],
    ...(method === "private_key_jwt"
      ? { token_endpoint_auth_signing_alg: "ES256" } : { client_secret: secret }),
  }, { keys: [jwk] });
}

for (const method of Object.keys(methods))
  await step(`openid-client, ${method}`, async () => {
    const client = openid_client(method, SECRET);
    const granted = await client.grant({ grant_type: "client_credentials", scope: "spc-token" });
    assert.equal(granted.token_type, "Bearer");
    assert.ok(!granted.expired());
    const answer = await client.requestResource(tokenUrl, granted.access_token, {
      method: "POST", body: BODY, headers: { "content-type": "application/json" } });
    assert.equal(answer.statusCode, 200, answer.body?.toString());
    assert.equal(JSON.parse(answer.body).status, "success");
    await client.revoke(granted.access_token);
    const refused = await client.requestResource(tokenUrl, granted.access_token, {
      method: "POST", body: BODY, headers: { "content-type": "application/json" } })
      .catch((error) => error.response);
    assert.equal(refused.statusCode, 401);
  });
await step("openid-client, a wrong secret", () =>
  assert.rejects(openid_client("client_secret_basic", "wrong")
    .grant({ grant_type: "client_credentials" }),
  (error) => (check_refused(error, 401, "invalid_client"), true)));
await step("openid-client, a wrong scope", () =>
  assert.rejects(openid_client("client_secret_post", SECRET)
    .grant({ grant_type: "client_credentials", scope: "everything" }),
  (error) => (check_refused(error, 400, "invalid_scope"), true)));

// ---- simple-oauth2 ----

function simple_client(method, secret) {
  return new ClientCredentials({
    client: { id: CLIENT, secret },
    auth: { tokenHost: BASE, tokenPath: "/oauth2/token", revokePath: "/oauth2/revoke" },
    http: { json: true }, // the answer to a revocation is empty (RFC 7009 section 2.2)
    options: { authorizationMethod: method },
  });
}

for (const method of ["header", "body"])
  await step(`simple-oauth2, ${method}`, async () => {
    const access = await simple_client(method, SECRET).getToken({ scope: "spc-token" });
    assert.ok(!access.expired(0));
    await check_spc_answer(await fetch(tokenUrl, {
      method: "POST", body: BODY,
      headers: { "content-type": "application/json",
        authorization: `Bearer ${access.token.access_token}` } }));
    await access.revoke?.("access_token");
  });
await step("simple-oauth2, a wrong secret", () =>
  assert.rejects(simple_client("header", "wrong").getToken({}),
    (error) => (check_refused(error, 401, "invalid_client"), true)));
await step("simple-oauth2, a wrong scope", () =>
  assert.rejects(simple_client("body", SECRET).getToken({ scope: "everything" }),
    (error) => (check_refused(error, 400, "invalid_scope"), true)));

console.log(`  ${done} steps`);
if (done < 15)
  process.exitCode = 1;
