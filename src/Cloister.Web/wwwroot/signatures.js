// Signatures, checked by the browser.

const schemes = {
  RsaPss: { name: "RSA-PSS" },
  RsaPkcs1: { name: "RSASSA-PKCS1-v1_5" },
  EcdsaP256: { name: "ECDSA", namedCurve: "P-256" },
  EcdsaP384: { name: "ECDSA", namedCurve: "P-384" },
};

const hashes = {
  SHA256: { name: "SHA-256", size: 32 },
  SHA384: { name: "SHA-384", size: 48 },
  SHA512: { name: "SHA-512", size: 64 },
};

// Whether the key made the signature. The key is an RSA modulus, with its exponent, or 04 ‖ x ‖ y. Throws where this browser cannot say.
export async function verify(scheme, hash, key, exponent, message, signature) {
  const { name, namedCurve } = schemes[scheme];
  const { name: hashName, size } = hashes[hash];
  const [format, material] = namedCurve ? ["raw", key] : ["jwk", { kty: "RSA", n: base64Url(key), e: base64Url(exponent) }];
  const imported = await crypto.subtle.importKey(format, material, { name, namedCurve, hash: hashName }, false, ["verify"]);
  return crypto.subtle.verify({ name, hash: hashName, saltLength: size }, imported, signature, message);
}

const base64Url = bytes => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
