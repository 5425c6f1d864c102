// The error function, which JavaScript lacks.

const ONE_FROM = 6; // 1 − erf(6) is 2e−17: below the rounding of a float64

/**
 * erf(x) = 2/√π · exp(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1)): every term has the sign of x, so nothing cancels.
 * Source: Abramowitz and Stegun, 7.1.6.
 */
export function erf(x) {
  if (!(Math.abs(x) < ONE_FROM)) return Math.sign(x); // NaN too
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n += 1) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
