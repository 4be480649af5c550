// Passkeys (WebAuthn): the server's JSON in, the browser's answer out.

function bytes(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (one) => one.charCodeAt(0));
}

function text(buffer: ArrayBuffer): string {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

async function post(path: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(path, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(String(response.status));
  return (await response.json()) as Record<string, unknown>;
}

interface Described {
  id: string;
  type: PublicKeyCredentialType;
}

function known(given: unknown): PublicKeyCredentialDescriptor[] {
  return ((given ?? []) as Described[]).map(({ id, type }) => ({ id: bytes(id), type }));
}

function sent(credential: PublicKeyCredential): object {
  const { response } = credential;
  const parts: Record<string, string> = { clientDataJSON: text(response.clientDataJSON) };
  if (response instanceof AuthenticatorAssertionResponse) {
    parts["authenticatorData"] = text(response.authenticatorData);
    parts["signature"] = text(response.signature);
    if (response.userHandle) parts["userHandle"] = text(response.userHandle);
  } else if (response instanceof AuthenticatorAttestationResponse) {
    parts["attestationObject"] = text(response.attestationObject);
  }
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response: parts };
}

interface Asked {
  ceremony: string;
  publicKey: Record<string, unknown>;
}

async function signIn(next: string): Promise<string> {
  const { ceremony, publicKey: given } = (await post("/sign-in/passkey/options", {})) as unknown as Asked;
  const publicKey = {
    ...given,
    challenge: bytes(String(given["challenge"])),
    allowCredentials: known(given["allowCredentials"]),
  };
  const credential = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential;
  const done = await post("/sign-in/passkey", { ceremony, credential: sent(credential), next });
  return String(done["to"] ?? next);
}

async function add(next: string): Promise<string> {
  const { ceremony, publicKey: given } = (await post("/account/passkeys/options", {})) as unknown as Asked;
  const user = given["user"] as { id: string; name: string; displayName: string };
  const publicKey = {
    ...(given as unknown as PublicKeyCredentialCreationOptions),
    challenge: bytes(String(given["challenge"])),
    user: { ...user, id: bytes(user.id) },
    excludeCredentials: known(given["excludeCredentials"]),
  };
  const credential = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential;
  const done = await post("/account/passkeys", { ceremony, credential: sent(credential), next });
  return String(done["to"] ?? next);
}

/** Let buttons with data-passkey do what they say. */
export function passkeys(root: ParentNode): void {
  for (const one of root.querySelectorAll<HTMLButtonElement>("button[data-passkey]")) {
    if (!("credentials" in navigator)) {
      one.hidden = true;
      continue;
    }
    one.addEventListener("click", () => {
      const act = one.dataset["passkey"] === "add" ? add : signIn;
      act(one.dataset["next"] ?? "/").then(
        (to) => location.assign(to),
        () => {
          const status = one.parentElement?.querySelector("[role=status]");
          if (status) status.textContent = one.dataset["failed"] ?? "";
        },
      );
    });
  }
}
