// Softmax and the sigmoid in numbers: e^z, ÷ Σ, a bar a class.

import { difference } from "fieldstone/arithmetic";
import { shares } from "fieldstone/elementwise";
import { count, equals, exact, factor, format, percent, term } from "fieldstone/numbers";
import { bar, line } from "fieldstone/sheet";
import { html } from "fieldstone/elements";
import { addWords, say } from "fieldstone/words";

addWords({
  "softmax.unknown": [
    "The largest z, m = {m}, is no finite number: e^(z − m) has no value, and no class a share.",
    "z의 최댓값이 유한한 수가 아닙니다: m = {m}. e^(z − m)의 값이 없으므로 어느 클래스에도 몫이 없습니다.",
  ],
  "softmax.class": ["Class", "클래스"],
  "softmax.others": ["{n} others", "그 밖의 {n}개"],
  "softmax.sum": ["Sum", "합"],
  "softmax.probability": ["Probability", "확률"],
  "softmax.safe": [
    "The largest z, m = {m}, is taken away first: e^z could overflow, and the shares stay the same, " +
      "for e^(z − m) ÷ Σ e^(z − m) = e^z ÷ Σ e^z.",
    "먼저 모든 z에서 최댓값을 뺍니다: m = {m}. e^z는 넘칠 수 있고, e^(z − m) ÷ Σ e^(z − m) = e^z ÷ Σ e^z이므로 결과는 같습니다.",
  ],
});

const MOST_ROWS = 10;

/** The line of one class, and what is to be said of it. */
export function softmaxReckoning(values, chosen, recorded, logarithm = false) {
  const { largest, powers, sum, shares: all } = shares(values);
  const own = Math.fround(logarithm ? values[chosen] - largest - Math.log(sum) : all[chosen]);
  const raised = html("span", {}, `e^(${term(values[chosen])} − ${factor(largest)})`);
  const parts = logarithm
    ? [
        line.group(
          line.first(values[chosen]),
          line.sign("−"),
          line.value(largest),
          line.sign("−"),
          html("span", {}, `log(${term(sum)})`),
        ),
      ]
    : [
        line.group(raised, line.sign("÷ Σ")),
        line.group(line.sign("≈"), line.first(powers[chosen]), line.sign("÷"), line.value(sum)),
      ];
  const result = line.group(line.sign("≈"), line.result(own, recorded));
  const note = [safety(largest), difference({ own, recorded, size: Math.abs(recorded) })]
    .filter(Boolean)
    .join(" ");
  return { line: html("div", { class: "arithmetic" }, ...parts, result), note };
}

/** Why the largest value is taken away; of one that is not finite, what comes of it. */
export function safety(largest) {
  return say(Number.isFinite(largest) ? "softmax.safe" : "softmax.unknown", { m: term(largest) });
}

/** z, e^(z − m), ÷ Σ and a bar for each class, most probable first, the rest beyond ten in one row; `chosen` is bold. */
export function softmaxTable(values, names, chosen, heading = say("softmax.class")) {
  const { powers, sum, shares: all } = shares(values);
  const order = values.map((_, at) => at).sort((one, other) => all[other] - all[one] || one - other);
  const shown = order.slice(0, MOST_ROWS);
  if (chosen !== null && !shown.includes(chosen)) shown[MOST_ROWS - 1] = chosen;
  const rest = order.filter(at => !shown.includes(at));
  const row = (name, z, power, share, attributes = {}) =>
    html(
      "tr",
      attributes,
      html("td", {}, name),
      html("td", {}, z),
      html("td", { "data-value": exact(power) }, term(power)),
      html("td", { "data-value": exact(share) }, percent(share)),
      html("td", {}, bar(share)),
    );
  const total = of => rest.reduce((amount, at) => amount + of[at], 0);
  const head = html(
    "tr",
    {},
    ...[heading, "z", "e^(z − m)", "÷ Σ"].map(text => html("th", { scope: "col" }, text)),
    html("td", {}),
  );
  return html(
    "table",
    { class: "sheet-table softmax" },
    html("thead", {}, head),
    html(
      "tbody",
      {},
      ...shown.map(at =>
        row(names[at], html("span", { "data-value": exact(values[at]) }, format(values[at])), powers[at], all[at], {
          "data-class": at,
          ...(at === chosen ? { class: "softmax-chosen" } : {}),
        }),
      ),
      rest.length
        ? row(say("softmax.others", { n: count(rest.length) }), "", total(powers), total(all), {
            class: "softmax-others",
          })
        : null,
      html(
        "tr",
        { class: "softmax-sum" },
        html("td", {}, say("softmax.sum")),
        html("td", {}),
        html("td", { "data-value": exact(sum) }, term(sum)),
        html("td", {}, ""),
        html("td", {}),
      ),
    ),
  );
}
