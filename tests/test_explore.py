"""The explorers: Python against independent sums, the page against Python."""

import base64
import io
import json
import re
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from ipywidgets import VBox
from ipywidgets.embed import dependency_state, embed_data
from PIL import Image
from scipy import stats
from sklearn.datasets import load_iris
from torch.distributions import Bernoulli, Normal, kl_divergence

from vaebook.datasets import load_digits
from vaebook.em import e_step, em_step, fit_em, lower_bound
from vaebook.explore import (
    EmStepper,
    LatentExplorer,
    LikelihoodExplorer,
    explore,
    rounded,
)
from vaebook.explore.bundle import bundle
from vaebook.explore.fallback import VIEW
from vaebook.explore.packing import fixed_noise_terms
from vaebook.figures import CLASS_COLOURS
from vaebook.likelihood import gaussian_log_prob, gradient_ascent
from vaebook.mixtures import CollapsedComponentError, GaussianMixture
from vaebook.site.serve import server
from vaebook.starts import gaussian_start
from vaebook.vae import VAE

ROOT = Path(__file__).parents[1]
HOST = ROOT / "chapters" / "_static" / "widget-host.js"
STATE = "application/vnd.jupyter.widget-state+json"


def briefly_trained(latent_dim, epochs=25):
    rng, x = torch.Generator().manual_seed(0), load_digits().train.x
    model = VAE(64, (64,), latent_dim, rng=rng)
    adam = torch.optim.Adam(model.parameters(), 5e-3)
    for batch in (b for _ in range(epochs) for b in x.split(100)):
        adam.zero_grad()
        (-model.elbo_terms(batch, rng=rng).elbo.mean()).backward()
        adam.step()
    return model


MODELS = {}


def model_of(latent_dim):
    if latent_dim not in MODELS:
        MODELS[latent_dim] = briefly_trained(latent_dim)
    return MODELS[latent_dim]


def make(latent_dim=2, **options):
    test = load_digits().test
    noise = torch.Generator().manual_seed(1)
    return LatentExplorer(model_of(latent_dim), *test, rng=noise, **options)


def draw_line(ax, slope):
    ax.plot([-1, 1], [-slope, slope])
    ax.set(ylim=(-3, 3))


def make_frames(**options):
    given = {"alt": lambda slope: f"A line of slope {slope}", "slope": (-2, 2, 1)}
    return explore(draw_line, **(given | options))


def make_surface(**options):
    return LikelihoodExplorer(torch.from_numpy(load_iris().data[:, 2]), **options)


def petals():
    return torch.from_numpy(load_iris().data[:, 2:4])


GOOD = [[1.9, 0.4], [4.6, 1.5]]


def make_stepper(start=GOOD, **options):
    return EmStepper(petals(), torch.tensor(start, dtype=torch.float64), **options)


each_explorer = pytest.mark.parametrize(
    "make_widget",
    [
        make,
        make_frames,
        make_surface,
        make_stepper,
    ],
)


# The model on show


@pytest.mark.parametrize("latent_dim", [1, 2, 8])
def test_rounding_the_weights_costs_less_than_a_hundredth_of_a_nat(latent_dim):
    explorer = make(latent_dim)
    whole = fixed_noise_terms(
        model_of(latent_dim).double(), explorer.x, explorer.noise
    ).elbo
    half = explorer.terms(explorer.x).elbo
    model_of(latent_dim).float()
    assert (whole - half).abs().mean() < 0.01
    assert not torch.equal(whole, half)


def test_terms_equal_sums_by_torch_distributions():
    explorer = make(2)
    terms, x = explorer.terms(explorer.x), explorer.x
    q = Normal(terms.mu, (terms.log_var / 2).exp())
    kl = kl_divergence(q, Normal(torch.zeros(2).double(), 1.0))
    torch.testing.assert_close(terms.kl_per_latent, kl, rtol=1e-10, atol=1e-12)
    assert (terms.kl_per_latent >= 0).all()
    z = q.mean + q.stddev * explorer.noise[:, None]
    log_lik = Bernoulli(logits=explorer.model.decoder(z)).log_prob(x).sum(-1).mean(0)
    torch.testing.assert_close(terms.expected_log_lik, log_lik, rtol=1e-10, atol=0)
    torch.testing.assert_close(terms.elbo, log_lik - kl.sum(-1), rtol=1e-10, atol=0)


def test_a_weight_beyond_half_precision_is_refused():
    model = briefly_trained(2, epochs=0)
    with torch.no_grad():
        model.decoder.net[0].bias[0] = 1e6
    with pytest.raises(ValueError, match=r"decoder\.net\.0\.bias has 1e\+06"):
        rounded(model)


# Traits


def test_z_reads_sets_and_is_observed():
    explorer, seen = make(2), []
    explorer.observe(lambda change: seen.append(change["new"]), "z")
    explorer.z = [0.5, -1]
    assert explorer.z == [0.5, -1.0] and seen == [[0.5, -1.0]]


def test_select_moves_z_to_the_posterior_mean():
    explorer = make(2)
    explorer.select(5)
    assert explorer.selected == 5
    assert explorer.z == explorer.terms(explorer.x[5]).mu[0].tolist()


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("z", [0.0], r"2 finite numbers; received \[0.0\]"),
        ("z", [0.0, float("nan")], "finite numbers; received"),
        ("selected", 447, "below 447; received 447"),
        ("selected", -2, "received -2"),
        ("drawing", [1, 0], "64 zeros and ones; received 2 numbers"),
        ("drawing", [2] * 64, r"values \[2\]"),
    ],
)
def test_traits_refuse_what_they_cannot_be(trait, value, message):
    with pytest.raises(ValueError, match=message):
        setattr(make(2), trait, value)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (torch.zeros(3, 60), torch.zeros(3), "square images; received 60 pixels"),
        (torch.full((3, 64), 0.5), torch.zeros(3), "binary, 0 or 1; received"),
        (torch.zeros(3, 64), torch.zeros(2), r"x \(3, 64\), y \(2,\)"),
        (torch.zeros(2001, 64), torch.zeros(2001), "N <= 2000"),
    ],
)
def test_images_that_cannot_be_shown_are_refused(x, y, message):
    with pytest.raises(ValueError, match=message):
        LatentExplorer(model_of(2), x, y.long(), rng=torch.Generator())


def test_a_net_that_the_page_cannot_run_is_refused():
    model = briefly_trained(2, epochs=0)
    model.decoder.net[1] = torch.nn.ReLU()
    test = load_digits().test
    with pytest.raises(ValueError, match=r"decoder\.net .* Linear, ReLU, Linear"):
        LatentExplorer(model, *test, rng=torch.Generator())


def test_the_start_can_be_chosen():
    assert make(8, preset_z=[0] * 8).z == [0.0] * 8
    with pytest.raises(ValueError, match="z must be 8 finite numbers"):
        make(8, preset_z=[0, 0])


# What stands in for a widget when nothing runs


@pytest.mark.parametrize("latent_dim", [1, 2, 8])
def test_snapshot_is_a_light_picture(latent_dim):
    explorer = make(latent_dim)
    picture = explorer.snapshot()
    assert len(picture) <= 40_000
    assert Image.open(io.BytesIO(picture)).size == (768, 480)
    explorer.z = [2.0] * latent_dim
    assert explorer.snapshot() != picture


def test_a_notebook_gets_the_view_and_the_site_the_picture_beside_it():
    explorer = make(2)
    data = explorer._repr_mimebundle_()[0]
    assert data[VIEW]["model_id"] == explorer.model_id
    assert explorer.model_id in data["text/html"]
    assert 'alt="Latent explorer, still picture: 447 test images' in data["text/html"]


def test_stills_and_page_colour_classes_alike():
    for k, colour in enumerate(CLASS_COLOURS):
        assert f"--lx-class-{k}: light-dark({colour}," in LatentExplorer._css


# One text per widget


def modules(folder, **texts):
    for name, text in texts.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
    return folder


def test_bundle_writes_each_module_once(tmp_path):
    shared = "const hidden = 1;\nexport const a = hidden;\n"
    folder = modules(
        tmp_path,
        shared=shared,
        left='import { a } from "./shared.js";\nexport function left() { return a; }\n',
        root='import { a } from "./shared.js";\nimport { left } from "./left.js";\n'
        "const hidden = 2;\nexport default { a, left, hidden };\n",
    )
    text = bundle("root.js", folder)
    assert text.count("const hidden = 1;") == 1
    assert "import" not in text and text.count("export") == 1
    assert text.index("module_shared =") < text.index("module_left =")


@pytest.mark.parametrize(
    ("root", "message"),
    [
        ('import { b } from "./other.js";\n', "imports b, which other.js does not"),
        ('import other from "./other.js";\n', "write imports as"),
        ('import { ring } from "./ring.js";\n', "ring.js -> ring.js"),
        ('import { c } from "./late.js";\n', "write exports before"),
        ("const a = `\n  b`;\n", "end a template literal on its line"),
    ],
)
def test_bundle_refuses_what_it_does_not_understand(tmp_path, root, message):
    ring = 'import { ring } from "./ring.js";\nexport const ring = 1;\n'
    late = "export const c = 1;\nexport { c as d };\n"
    other = "export const a = 1;\n"
    modules(tmp_path, root=root, other=other, ring=ring, late=late)
    with pytest.raises(ValueError, match=message):
        bundle("root.js", tmp_path)


def test_bundle_leaves_out_comments_and_indentation(tmp_path):
    inner = (
        "// Why.\nexport const a = [\n  `// ${1}  `, // kept\n\n  // why\n  2,\n];\n"
    )
    root = '// What.\nimport { a } from "./inner.js";\n\nexport default { a };\n'
    text = bundle("root.js", modules(tmp_path, root=root, inner=inner))
    assert "const a = [\n`// ${1}  `, // kept\n2,\n];\n" in text
    assert text.startswith("const module_inner") and "hat" not in text


# explore(draw, ...)


def test_frames_are_drawn_for_every_combination():
    figure = explore(
        lambda ax, a, b: ax.plot([0, a], [0, len(b)]),
        alt="A line",
        a=(0, 0.3, 0.1),
        b=["x", "yy"],
    )
    assert figure.choices == [[0, 0.1, 0.2, 0.3], ["x", "yy"]]
    assert len(figure.frames) == 8 and len(set(figure.frames)) > 4
    assert Image.open(io.BytesIO(figure.frames[0])).size == (1280, 720)


def test_a_fresh_figure_carries_each_frame_once():
    assert make_frames().exact == {}


def test_setting_values_draws_exactly_those():
    figure, seen = make_frames(), []
    figure.observe(lambda change: seen.append(change["new"]), "values")
    figure.values = {"slope": 0.5}
    assert seen == [{"slope": 0.5}]
    assert figure.exact["alt"] == "A line of slope 0.5"
    assert figure.exact["frame"] not in figure.frames
    figure.values = {"slope": 2}
    assert figure.exact["frame"] == figure.frames[-1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"slope": (0, 4.1, 0.1)}, r"at most 40 frames; received 42 \(42 of slope\)"),
        ({"a": [1], "b": [2]}, r"1 or 2 parameters; received 3"),
        ({"slope": (0, 1)}, r"must be \(lo, hi, step\).*received \(0, 1\)"),
        ({"slope": (1, 0, 0.1)}, "lo < hi"),
        ({"slope": []}, "or a list; received"),
        ({"alt": " "}, "alt must say what the figure shows"),
    ],
)
def test_explore_says_what_to_reduce(options, message):
    with pytest.raises(ValueError, match=message):
        make_frames(**options)


def test_frames_that_weigh_too_much_are_refused():
    noise = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"500 KB together; the first \d+ of 21 weigh"):
        explore(
            lambda ax, k: ax.imshow(noise.random((400, 700, 3)), aspect="auto"),
            alt="Noise",
            k=(0, 20, 1),
        )


def test_values_must_name_the_parameters():
    with pytest.raises(ValueError, match="must name slope; received tilt"):
        make_frames().values = {"tilt": 1}


# In a browser

browser_test = pytest.mark.browser
STYLE = """html { font-family: system-ui, sans-serif; }
html[data-theme=dark] { background: #14181e; color: #ced6dd; }
body { margin: 0 auto; max-width: 752px; padding: 16px; }"""


def shown(widget):
    """The output that the site takes: HTML where offered, else the view's script."""
    bundled = widget._repr_mimebundle_()
    data = bundled[0] if isinstance(bundled, tuple) else bundled
    script = f'<div><script type="{VIEW}">{json.dumps(data[VIEW])}</script></div>'
    return data.get("text/html", script)


def embedded(*widgets):
    """Their state as text, as a page carries it."""
    used = dependency_state(widgets, drop_defaults=False)
    state = embed_data(views=widgets, state=used)["manager_state"]
    return json.dumps(state).replace("</", "<\\/")


def write_page(folder, *widgets):
    """A page that embeds widgets as the book's pages do."""
    state = embedded(*widgets)
    views = "".join(shown(widget) for widget in widgets)
    (folder / "widget-host.js").write_text(HOST.read_text("utf-8"), "utf-8")
    page = folder / "page.html"
    page.write_text(
        '<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Page</title>'
        '<link rel="icon" href="data:,">'
        f"<style>{STYLE}</style></head><body><main><h1>Page</h1>{views}</main>"
        f'<script type="{STATE}">{state}</script>'
        '<script defer src="widget-host.js"></script></body></html>',
        encoding="utf-8",
    )
    return page


@pytest.fixture
def show(tmp_path, page_factory):
    """``show(widget, ..., width=1280)`` -> a Visit of a page with them, live."""

    def visit(*widgets, live=True, **options):
        visited = page_factory(**options)
        visited.page.goto(write_page(tmp_path, *widgets).as_uri())
        if live:
            visited.page.wait_for_selector(".lx, .fx")
        return visited

    return visit


# Stands in for a kernel's model inside the page: m.model, m.module, m.el.
STAND_IN = """async () => {
  const state = JSON.parse(document.querySelector('script[type*="widget-state"]').text);
  const record = Object.values(state.state).find((r) => r.state._esm);
  const values = { ...record.state };
  for (const { path, data } of record.buffers || []) {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    values[path[0]] = new DataView(bytes.buffer);
  }
  const url = URL.createObjectURL(new Blob([values._esm], { type: "text/javascript" }));
  const handlers = new Map();
  const model = {
    get: (key) => values[key],
    set: (key, value) => {
      values[key] = value;
      handlers.get(`change:${key}`)?.forEach((handler) => handler());
    },
    on: (name, f) => handlers.set(name, (handlers.get(name) || new Set()).add(f)),
    off: (name, f) => handlers.get(name)?.delete(f),
    save_changes() {},
  };
  window.m = { model, handlers, module: await import(url) };
}"""
RENDER = """() => {
  m.el = document.createElement("div");
  m.module.default.render({ model: m.model, el: m.el });
  document.querySelector("main").replaceChildren(m.el);
}"""
EVALUATE = """([zs, xs]) => {
  const { decode, elboTerms, readModel, sigmoid } = m.module;
  const { net, eps } = readModel(m.model);
  const terms = xs.map((x) => elboTerms(net, x, eps));
  const list = (key) => terms.map((t) => Array.from(t[key]));
  const number = (key) => terms.map((t) => t[key]);
  return {
    logits: zs.map((z) => Array.from(decode(net, z))),
    probabilities: zs.map((z) => Array.from(decode(net, z), sigmoid)),
    mu: list("mu"), log_var: list("logVar"), kl_per_latent: list("klPerLatent"),
    kl: number("kl"), expected_log_lik: number("expectedLogLik"), elbo: number("elbo"),
  };
}"""


@browser_test
@pytest.mark.parametrize("latent_dim", [1, 2, 8])
def test_the_page_equals_python(latent_dim, show):
    explorer = make(latent_dim)
    visit = show(explorer)
    visit.page.evaluate(STAND_IN)
    noise = np.random.default_rng(3)
    zs = 2 * noise.normal(size=(100, latent_dim))
    xs = (noise.random((100, 64)) < noise.random((100, 1))).astype(float)
    page = visit.page.evaluate(EVALUATE, [zs.tolist(), xs.tolist()])
    terms = explorer.terms(torch.from_numpy(xs))._asdict()
    with torch.no_grad():
        terms["logits"] = explorer.model.decoder(torch.from_numpy(zs))
    terms["probabilities"] = terms["logits"].sigmoid()
    for name, expected in terms.items():
        np.testing.assert_allclose(page[name], expected, rtol=0, atol=1e-5)
    assert np.min(page["kl_per_latent"]) >= 0
    assert visit.problems == []


@browser_test
def test_the_page_equals_python_on_larger_images(show):
    rng = torch.Generator().manual_seed(0)
    x = (torch.rand(5, 784, generator=rng) < 0.3).float()
    model = VAE(784, (32,), 3, rng=rng)
    explorer = LatentExplorer(model, x, torch.arange(5), rng=rng)
    visit = show(explorer)
    visit.page.evaluate(STAND_IN)
    page = visit.page.evaluate(EVALUATE, [[[1, 0, -1]], x.tolist()])
    expected = explorer.terms(x).elbo
    np.testing.assert_allclose(page["elbo"], expected, rtol=0, atol=1e-5)
    assert visit.page.locator(".lx-cell").count() == 784
    assert visit.problems == []


def numbers(page, selector=".lx-slider .lx-number"):
    texts = page.locator(selector).all_text_contents()
    return [float(text.replace("\u2212", "-").replace(" ", "")) for text in texts]


def canvas_bytes(page, selector):
    url = page.locator(selector).first.evaluate("(canvas) => canvas.toDataURL()")
    return base64.b64decode(url.partition(",")[2])


@browser_test
@pytest.mark.parametrize("served", [False, True])
def test_it_works_from_a_file_and_from_a_server(served, tmp_path, page_factory):
    page_file, visit = write_page(tmp_path, make(2), make_frames()), page_factory()
    if not served:
        visit.page.goto(page_file.as_uri())
        visit.page.wait_for_selector(".fx")
    else:
        with server(tmp_path) as running:
            threading.Thread(target=running.serve_forever, daemon=True).start()
            visit.page.goto(f"http://127.0.0.1:{running.server_port}/page.html")
            visit.page.wait_for_selector(".fx")
            running.shutdown()
    assert visit.page.locator(".lx").count() == 1
    requests = {request.url.partition(":")[0] for request in visit.requests}
    assert requests <= (
        {"http", "blob", "data"} if served else {"file", "blob", "data"}
    )
    assert visit.problems == []


@browser_test
def test_dragging_the_handle_decodes_under_it(show):
    explorer = make(2, preset_z=[0, 0])
    page = show(explorer).page
    before = canvas_bytes(page, ".lx-decode canvas")
    box = page.locator(".lx-handle").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 80, y - 40, steps=4)
    page.mouse.up()
    z1, z2 = numbers(page)
    assert z1 == pytest.approx(2 * z2, rel=0.02) and z1 > 0.5
    assert canvas_bytes(page, ".lx-decode canvas") != before


@browser_test
def test_a_tap_chooses_a_digit_and_a_finger_scrolls_the_page(show):
    explorer = make(2)
    page = show(explorer, width=360, height=700, has_touch=True).page
    mu = explorer.terms(explorer.x).mu
    alone = torch.cdist(mu, mu).fill_diagonal_(9).min(1).values.argmax().item()
    bound, pad = explorer.bound, page.locator(".lx-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    left, top, w, h = 30, 8, box["width"] - 38, box["height"] - 34
    z1, z2 = mu[alone].tolist()
    page.touchscreen.tap(
        box["x"] + left + w * (z1 + bound) / (2 * bound),
        box["y"] + top + h * (bound - z2) / (2 * bound),
    )
    status = page.locator(".lx-status").text_content()
    assert status == f"Test image {alone + 1} of 447, class {explorer.labels[alone]}"
    assert numbers(page) == pytest.approx([z1, z2], abs=0.006)
    style = "(el) => getComputedStyle(el).touchAction"
    assert pad.evaluate(style) == "auto"
    assert page.locator(".lx-handle").evaluate(style) == "none"


@browser_test
def test_keys_move_the_handle_and_the_sliders(show):
    page = show(make(8, preset_z=[0] * 8)).page
    page.locator(".lx-handle").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowUp"):
        page.keyboard.press(key)
    assert numbers(page)[:2] == [0.2, 0.4]
    handle = page.locator(".lx-handle")
    assert handle.get_attribute("aria-valuetext") == "z1 0.20, z2 0.40"
    page.keyboard.press("Home")
    assert numbers(page) == [0] * 8
    slider = page.locator(".lx-slider input").nth(7)
    slider.focus()
    page.keyboard.press("ArrowRight")
    z8 = numbers(page)[7]
    assert z8 > 0
    assert slider.get_attribute("aria-valuetext") == f"z8 {z8:.2f}"


@browser_test
def test_axes_of_the_pad_can_be_any_two_latents(show):
    page = show(make(8, preset_z=[0] * 8)).page
    across, up = page.locator(".lx-menu select").all()
    across.select_option("4")
    page.locator(".lx-handle").press("ArrowRight")
    assert numbers(page)[4] == 0.1
    across.select_option("1")
    assert up.input_value() == "4"
    page.get_by_role("button", name="Reset").click()
    assert (across.input_value(), up.input_value()) == ("0", "1")


@browser_test
def test_a_single_latent_has_no_vertical_axis(show):
    page = show(make(1, preset_z=[0])).page
    page.locator(".lx-handle").press("ArrowRight")
    page.locator(".lx-handle").press("ArrowUp")
    assert numbers(page) == [0.1]
    page.locator(".lx-check input").check()
    assert page.locator(".lx-menu").count() == 0


@browser_test
def test_stepping_through_a_class_and_back(show):
    explorer = make(2)
    page = show(explorer).page
    page.get_by_role("button", name="Show only class 7").click()
    page.get_by_role("button", name="Next").click()
    first = explorer.labels.index(7)
    status = page.locator(".lx-status")
    assert status.text_content() == f"Test image {first + 1} of 447, class 7"
    terms = explorer.terms(explorer.x[first])
    shown = numbers(page, ".lx-term .lx-number")
    expected = [terms.expected_log_lik.item(), -terms.kl.item(), terms.elbo.item()]
    assert shown == pytest.approx(expected, abs=0.006)
    kls = numbers(page, ".lx-latent-kl .lx-number")
    assert kls == pytest.approx(terms.kl_per_latent[0].tolist(), abs=0.006)
    page.get_by_role("button", name="Previous").click()
    assert status.text_content().endswith("class 7")
    page.get_by_role("button", name="Reset").click()
    assert status.text_content().startswith("Test image 1 ")


@browser_test
def test_drawing_a_digit_by_mouse_and_by_keys(show):
    explorer = make(2)
    page = show(explorer).page
    page.get_by_role("button", name="Clear").click()
    assert page.locator(".lx-status").text_content() == "Your drawing"
    box = page.locator(".lx-editor").bounding_box()
    cell = box["width"] / 8
    page.mouse.move(box["x"] + 3.5 * cell, box["y"] + 1.5 * cell)
    page.mouse.down()
    page.mouse.move(box["x"] + 3.5 * cell, box["y"] + 5.5 * cell, steps=8)
    page.mouse.up()
    for key in ("ArrowRight", "Space", "ArrowDown", "Space", "Space"):
        page.keyboard.press(key)
    lit = page.locator('.lx-cell[aria-selected="true"]')
    drawn = sorted(int(d) for d in lit.evaluate_all("(e) => e.map((c) => c.dataset.d)"))
    assert drawn == [11, 12, 19, 27, 35, 43]
    x = torch.zeros(64)
    x[drawn] = 1
    terms = explorer.terms(x)
    assert numbers(page) == pytest.approx(terms.mu[0].tolist(), abs=0.006)
    assert numbers(page, ".lx-term-elbo .lx-number") == pytest.approx(
        [terms.elbo.item()], abs=0.006
    )
    page.get_by_role("button", name="Undo edits").click()
    assert page.locator(".lx-status").text_content() == "Test image 1 of 447, class 3"


@browser_test
def test_the_mosaic_follows_the_latents_held(show):
    page = show(make(8)).page
    points = canvas_bytes(page, ".lx-pad canvas")
    page.locator(".lx-check input").check()
    mosaic = canvas_bytes(page, ".lx-pad canvas")
    assert mosaic != points
    page.locator(".lx-slider input").nth(5).press("PageUp")
    assert canvas_bytes(page, ".lx-pad canvas") != mosaic


@browser_test
def test_two_copies_do_not_clash(show):
    first, second = make(2, preset_z=[0, 0]), make(2, preset_z=[0, 0])
    visit = show(first, second)
    visit.page.wait_for_function("document.querySelectorAll('.lx').length === 2")
    visit.page.locator(".lx-handle").nth(0).press("ArrowRight")
    assert numbers(visit.page) == [0.1, 0, 0, 0]
    assert visit.page.locator("[id], input[name]").count() == 0
    assert visit.problems == []


@browser_test
def test_widgets_inside_a_box(show):
    visit = show(VBox([make(2), make_frames()]))
    visit.page.wait_for_selector(".fx")
    assert visit.page.locator(".lx").count() == 1
    assert visit.problems == []


MOVES = """async () => {
  const pad = document.querySelector(".lx-pad");
  const box = pad.getBoundingClientRect();
  const fire = (type, k) => pad.dispatchEvent(new PointerEvent(type, {
    bubbles: true, pointerId: 1, pointerType: "mouse", button: 0,
    clientX: box.left + box.width * (0.2 + 0.01 * k),
    clientY: box.top + box.height * (0.5 + 0.3 * Math.sin(k / 5)),
  }));
  fire("pointerdown", 0);
  for (let k = 1; k <= 60; k++) {
    await new Promise(requestAnimationFrame);
    fire("pointermove", k);
  }
  fire("pointerup", 60);
}"""


def work_per_move(page, moves):
    """Milliseconds of the page's main thread per move of 60, whatever else runs."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    busy = []
    for _ in range(4):
        page.evaluate(moves)
        metrics = session.send("Performance.getMetrics")["metrics"]
        busy += [m["value"] for m in metrics if m["name"] == "TaskDuration"]
    return 1000 * min(np.diff(busy)) / 60


@browser_test
@pytest.mark.parametrize("latent_dim", [2, 8])
def test_a_pointer_move_is_painted_within_a_frame(latent_dim, show):
    page = show(make(latent_dim), device_scale_factor=2).page
    before = numbers(page)
    each = work_per_move(page, MOVES)
    print(f"a pointer move, decoded and painted: {each:.1f} ms of processor time")
    assert numbers(page) != before
    assert each <= 16


@browser_test
def test_colours_follow_the_theme(show):
    page = show(make(2)).page
    light = [canvas_bytes(page, f".lx-{where} canvas") for where in ("pad", "decode")]
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_timeout(50)
    dark = [canvas_bytes(page, f".lx-{where} canvas") for where in ("pad", "decode")]
    corners = [
        np.array(Image.open(io.BytesIO(b)))[0, 0, :3] for b in (light[1], dark[1])
    ]
    assert corners[0].mean() > 200 and corners[1].mean() < 60
    assert light[0] != dark[0]


LISTENERS = """() => {
  window.alive = 0;
  const add = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (type, f, options) {
    if (this instanceof AbortSignal) return add.call(this, type, f, options);
    alive += 1;
    options?.signal?.addEventListener("abort", () => (alive -= 1));
    return add.call(this, type, f, options);
  };
  for (const name of ["MutationObserver", "ResizeObserver"]) {
    const { observe, disconnect } = window[name].prototype;
    const watching = new Set();
    window[name].prototype.observe = function (...given) {
      if (!watching.has(this)) alive += 1;
      watching.add(this);
      return observe.apply(this, given);
    };
    window[name].prototype.disconnect = function () {
      if (watching.delete(this)) alive -= 1;
      return disconnect.call(this);
    };
  }
  const count = (owner, open, close) => {
    const [start, end, held] = [owner[open], owner[close], new Set()];
    owner[open] = (...given) => {
      const one = start.apply(owner, given);
      held.add(one);
      alive += 1;
      return one;
    };
    owner[close] = (one) => {
      if (held.delete(one)) alive -= 1;
      return end.call(owner, one);
    };
  };
  count(window, "setInterval", "clearInterval");
  count(URL, "createObjectURL", "revokeObjectURL");
}"""
PLAY = """() => {
  const names = ["Play", "Climb"];
  const all = [...m.el.querySelectorAll("button")];
  all.filter((one) => names.includes(one.textContent)).forEach((one) => one.click());
}"""


@browser_test
@each_explorer
def test_keys_belong_to_what_is_in_focus(make_widget, show):
    """JupyterLab looks for the mark on the element itself before it takes the key."""
    page = show(make_widget()).page
    focusable = page.locator(":is(.lx, .fx) :is(input, button, select, [tabindex])")
    assert focusable.count() > 0
    marks = "all => all.map(one => one.dataset.lmSuppressShortcuts)"
    assert set(focusable.evaluate_all(marks)) == {"true"}


@browser_test
@each_explorer
def test_cleaning_up_leaves_nothing_behind(make_widget, show):
    page = show(make_widget()).page
    page.evaluate(STAND_IN)
    page.evaluate(LISTENERS)
    page.evaluate("""() => {
      m.el = document.body.appendChild(document.createElement("div"));
      m.cleanUp = m.module.default.render({ model: m.model, el: m.el });
    }""")
    assert page.evaluate("alive") > 0
    page.evaluate(PLAY)
    page.evaluate("m.cleanUp()")
    assert page.evaluate("alive") == 0
    assert page.evaluate("m.el.childElementCount") == 0
    assert page.evaluate("[...m.handlers.values()].every((set) => set.size === 0)")


@browser_test
def test_it_may_be_rendered_before_it_is_in_the_page(show):
    page = show(make(2)).page
    page.evaluate(STAND_IN)
    page.evaluate("""() => {
      m.el = document.createElement("div");
      m.module.default.render({ model: m.model, el: m.el });
      m.model.set("z", [0.5, 1]);
      document.querySelector("main").replaceChildren(m.el);
    }""")
    page.wait_for_function("document.querySelector('.lx-number').textContent !== ''")
    assert numbers(page) == [0.5, 1]


@browser_test
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_is_accessible_and_fits(theme, width, show):
    visit = show(make(2), make(8), make_frames(), width=width)
    visit.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    visit.page.wait_for_selector(".fx")
    visit.page.get_by_role("button", name="Show only class 3").first.click()
    found = Axe().run(visit.page).response["violations"]
    assert found == [], [(v["id"], v["nodes"][0]["html"]) for v in found]
    scroll_width = visit.page.evaluate("document.documentElement.scrollWidth")
    assert scroll_width <= width
    assert visit.problems == []


@browser_test
def test_every_control_shows_its_focus(show):
    page = show(make(8)).page
    names = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        focus = page.evaluate("""() => {
          const el = document.activeElement;
          const style = getComputedStyle(el);
          return [el.className || el.tagName, style.outlineStyle, style.outlineWidth];
        }""")
        if focus[0] == "BODY":
            break
        names.add(focus[0])
        assert focus[1] != "none" and focus[2] != "0px", focus
    assert {"lx-handle", "lx-button", "lx-class", "lx-cell", "SELECT"} <= names


@browser_test
def test_without_javascript_and_in_print_a_picture_stands_in(tmp_path, page_factory):
    address = write_page(tmp_path, make(2)).as_uri()
    silent = page_factory(java_script_enabled=False).page
    silent.goto(address)
    assert silent.get_by_alt_text("Latent explorer, still picture").is_visible()
    live = page_factory().page
    live.goto(address)
    live.wait_for_selector(".lx")
    still = live.locator(".vb-still")
    live.wait_for_function("document.querySelector('.vb-still').hidden")
    assert not still.is_visible()
    live.emulate_media(media="print")
    assert still.is_visible() and not live.locator(".lx").is_visible()


@browser_test
def test_a_widget_that_cannot_start_leaves_its_picture(tmp_path, page_factory):
    page_file, visit = write_page(tmp_path, make(2)), page_factory()
    text = page_file.read_text("utf-8").replace("export default", "export const gone =")
    page_file.write_text(text, "utf-8")
    visit.page.goto(page_file.as_uri())
    visit.page.wait_for_event("console")
    assert visit.page.locator(".vb-still").is_visible()
    assert "did not start" in visit.problems[0]


@browser_test
def test_frames_step_by_slider_and_keys(show):
    page = show(make_frames()).page
    picture, slider = page.locator(".fx-frame"), page.locator(".fx-slider input")
    assert picture.get_attribute("alt") == "A line of slope 0"
    before = picture.get_attribute("src")
    slider.press("ArrowRight")
    assert picture.get_attribute("alt") == "A line of slope 1"
    assert picture.get_attribute("src") != before
    assert slider.get_attribute("aria-valuetext") == "slope 1"
    slider.press("Home")
    assert page.locator(".fx-number").text_content() == "\u22122"


@browser_test
def test_a_drawing_between_the_steps_is_shown(show):
    figure = make_frames()
    figure.values = {"slope": 0.5}
    page = show(figure).page
    picture = page.locator(".fx-frame")
    assert picture.get_attribute("alt") == "A line of slope 0.5"
    assert page.locator(".fx-number").text_content() == "0.5"
    page.locator(".fx-slider input").press("End")
    assert picture.get_attribute("alt") == "A line of slope 2"


@browser_test
def test_a_choice_of_false_and_true_is_a_box_to_tick(show):
    figure = explore(
        lambda ax, up, bit: ax.plot([0, 1], [0, 2 * up + bit]),
        alt=lambda up, bit: f"up {up}, bit {bit}",
        up=[False, True],
        bit=[0, 1],
    )
    assert figure.values == {"up": False, "bit": 1}
    figure.values = {"up": True, "bit": 0}
    assert show(figure).page.get_by_role("checkbox", name="up").is_checked()
    figure.values = {"up": False, "bit": 1}
    page = show(figure).page
    box, picture = page.get_by_role("checkbox", name="up"), page.locator(".fx-frame")
    slider = page.get_by_role("slider", name="bit")
    assert page.locator(".fx input").count() == 2 and not box.is_checked()
    off = picture.get_attribute("src")
    page.locator(".fx-toggle").click()
    assert box.is_checked() and picture.get_attribute("src") != off
    assert picture.get_attribute("alt") == "up True, bit 1"
    box.press("Space")
    assert picture.get_attribute("src") == off and not box.is_checked()
    slider.press("ArrowLeft")
    assert picture.get_attribute("alt") == "up False, bit 0"
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    box.press("Space")
    assert page.evaluate("m.model.get('values')") == {"up": True, "bit": 1}
    box.press("Space")
    assert page.evaluate("m.model.get('values').up") is False
    page.evaluate("m.model.set('values', { up: true, bit: 0 })")
    assert box.is_checked() and slider.input_value() == "0"


# The likelihood surface


def petal_log_lik(parameters):
    """Log-likelihood of the petal lengths at (mu, log sigma), nats."""
    mu, log_sigma = parameters[..., :1], parameters[..., 1:]
    x = torch.tensor(make_surface().x, dtype=torch.float64)
    log_prob = gaussian_log_prob(
        x[:, None], mu[..., None, :], 2 * log_sigma[..., None, :]
    )
    return log_prob.sum(-1)


def test_mu_and_sigma_are_read_set_and_observed():
    explorer, seen = make_surface(), []
    assert (explorer.mu, explorer.sigma) == (5.5, 0.8)
    explorer.observe(lambda change: seen.append(change["new"]), ["mu", "sigma"])
    explorer.mu, explorer.sigma = 4, 1.5
    assert seen == [4, 1.5]
    gaussian = Normal(*torch.tensor([4, 1.5], dtype=torch.float64))
    expected = gaussian.log_prob(torch.tensor(explorer.x, dtype=torch.float64)).sum()
    assert explorer.log_likelihood() == pytest.approx(expected.item(), rel=1e-10)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.tensor([1.0, float("nan")]), "x must be finite; received nan"),
        (torch.tensor([1.0, float("inf")]), "x must be finite; received inf"),
        (torch.ones(3, 2), r"x must be \(N,\) with N >= 2; received shape \(3, 2\)"),
        (torch.ones(1), r"received shape \(1,\)"),
        (torch.full((4,), 2.5), "different values, .* received 4 times 2.5"),
    ],
)
def test_data_without_a_best_gaussian_are_refused(x, message):
    with pytest.raises(ValueError, match=message):
        LikelihoodExplorer(x)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": (5, 0)}, "sigma must be positive and finite; received 0.0"),
        ({"start": (float("nan"), 1)}, "mu must be finite; received nan"),
        ({"rate": 0}, "rate must be positive .* received 0 and 300"),
        ({"num_steps": 0}, "num_steps at least 1; received 0.1 and 0"),
    ],
)
def test_a_climb_that_cannot_start_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make_surface(**options)


@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (1e-3, 0), (250, -4000)])
def test_bars_are_a_density_and_the_frame_holds_data_and_start(scale, shift):
    x = scale * torch.from_numpy(load_iris().data[:, 2]) + shift
    explorer = LikelihoodExplorer(x, start=(9 * scale + shift, 0.1 * scale))
    edges, heights = map(np.array, explorer.bars.values())
    assert (heights * np.diff(edges)).sum() == pytest.approx(1)
    counts = np.histogram(x.numpy() + 1e-6 * scale, edges)[0]
    np.testing.assert_allclose(heights * np.diff(edges) * 150, counts, atol=1e-6)
    (low, high), (least, most) = explorer.frame["mu"], explorer.frame["sigma"]
    assert low < x.min() and 9 * scale + shift < high and len(heights) < 25
    assert least < 0.1 * scale and x.std() < most


def test_the_still_shows_the_surface():
    explorer = make_surface()
    picture = explorer.snapshot()
    assert len(picture) <= 20_000
    assert Image.open(io.BytesIO(picture)).size == (1280, 600)
    assert "mean 5.50" in explorer.describe() and "-822.7 nats" in explorer.describe()
    explorer.mu = 3
    assert explorer.snapshot() != picture


def test_the_surface_is_light():
    assert len(embedded(make_surface())) < 40_000


@browser_test
def test_log_likelihoods_of_the_page_equal_python(show):
    visit = show(make_surface())
    visit.page.evaluate(STAND_IN)
    noise = np.random.default_rng(5)
    mu, log_sigma = noise.uniform(0, 8, 100), noise.uniform(np.log(0.3), np.log(9), 100)
    page = visit.page.evaluate(
        """(points) => {
          const fit = m.module.summarise(m.model.get("x"));
          return points.map((at) => m.module.logLik(fit, at));
        }""",
        np.stack([mu, np.exp(log_sigma)], 1).tolist(),
    )
    expected = petal_log_lik(torch.from_numpy(np.stack([mu, log_sigma], 1)))
    np.testing.assert_allclose(page, expected, rtol=1e-5)
    assert visit.problems == []


@browser_test
@pytest.mark.parametrize("start", [(5.5, 0.8), (1.0, 4.0), (7.5, 2.0), (3.0, 0.9)])
def test_climbing_in_the_page_is_gradient_ascent(start, show):
    explorer = make_surface(start=start, num_steps=30)
    page = show(explorer, reduced_motion="reduce").page
    page.evaluate(STAND_IN)
    walked = page.evaluate("""() => {
      const fit = m.module.summarise(m.model.get("x"));
      const path = [m.model.get("start")];
      const step = (at) => m.module.gradientStep(fit, at, m.model.get("rate"));
      for (let k = 0; k < 30; k++) path.push(step(path[k]));
      return path;
    }""")
    theta = torch.tensor([start[0], np.log(start[1])], dtype=torch.float64)
    path = gradient_ascent(
        lambda p: petal_log_lik(p) / 150, theta, rate=0.1, num_steps=30
    )
    path[:, 1] = path[:, 1].exp()
    np.testing.assert_allclose(walked, path, rtol=0, atol=1e-5)
    page.get_by_role("button", name="Climb").click()
    assert numbers(page) == pytest.approx(path[-1].tolist(), abs=0.006)
    assert page.locator(".lx-walk path").count() == 31
    assert page.locator(".ls-status").text_content() == "30 gradient steps taken"


@browser_test
def test_contours_lie_at_their_drops(show):
    page = show(make_surface()).page
    page.evaluate(STAND_IN)
    for drop in (2, 10, 30, 100, 300):
        curve = page.evaluate(
            """(drop) => {
              const fit = m.module.summarise(m.model.get("x"));
              return m.module.contour(fit, drop, [0.01, 200]);
            }""",
            drop,
        )
        points = torch.tensor(curve, dtype=torch.float64)
        points[:, 1] = points[:, 1].log()
        below = -297.5870528889 - petal_log_lik(points)
        np.testing.assert_allclose(below, drop, rtol=1e-4)
        assert points[0, 1] < np.log(1.7594) < points[48, 1]


def readings(page):
    texts = page.locator(".lx-reading dd").all_text_contents()
    return [float(t.removesuffix(" nats").replace("\u2212", "-")) for t in texts]


def expected_readings(mu, sigma):
    total = petal_log_lik(torch.tensor([mu, np.log(sigma)], dtype=torch.float64)).item()
    return pytest.approx([total, -297.5870528889 - total, total / 150], abs=0.006)


@browser_test
def test_the_figure_shows_where_it_starts(show):
    page = show(make_surface()).page
    assert numbers(page) == [5.5, 0.8]
    assert readings(page) == expected_readings(5.5, 0.8)
    ring, (_, plot) = page.locator(".lx-handle").bounding_box(), boxes(page)
    x = plot["x"] + plot["width"] * 5.5 / 8
    low, high = np.log(make_surface().frame["sigma"])
    y = plot["y"] + plot["height"] * (high - np.log(0.8)) / (high - low)
    assert ring["x"] + 22 == pytest.approx(x, abs=1.5)
    assert ring["y"] + 22 == pytest.approx(y, abs=1.5)


def boxes(page):
    """Where the two plots have their axes, in CSS pixels."""
    return [
        rect.bounding_box() for rect in page.locator(".lx-plot > svg > g > rect").all()
    ]


def drawn(page, selector):
    """Vertices of a path in a plot, as fractions of its axes: (N, 2), up positive."""
    path = page.locator(selector)
    points = re.findall(r"[ML]([-\d.]+) ([-\d.]+)", path.get_attribute("d"))
    inner = path.evaluate(
        "(el) => ['width', 'height'].map((k) => el.ownerSVGElement[k].baseVal.value)"
    )
    return np.array(points, dtype=float) / inner * [1, -1] + [0, 1]


@browser_test
def test_curve_bars_and_maximum_are_drawn_to_scale(show):
    explorer = make_surface()
    page = show(explorer).page
    page.wait_for_function(
        "document.querySelector('svg').viewBox.baseVal.width !== 360"
    )
    top, (low, high) = explorer.frame["density"], np.log(explorer.frame["sigma"])
    x, height = drawn(page, ".lx-curve path").T * [[8], [top]]
    np.testing.assert_allclose(height, stats.norm.pdf(x, 5.5, 0.8), atol=0.002)
    for k, expected in enumerate(explorer.bars["heights"]):
        bar = drawn(page, f".lx-histogram path:nth-child({k + 1})") * [8, top]
        left, right = explorer.bars["edges"][k : k + 2]
        corners = [[left, 0], [left, expected], [right, expected], [right, 0]]
        np.testing.assert_allclose(bar, corners, atol=0.002)
    x, y, width, height = page.locator(".lx-top text").evaluate(
        """({ x, y, ownerSVGElement: { width, height } }) => [x, y]
          .map((list) => list.baseVal[0].value)
          .concat([width, height].map((one) => one.baseVal.value))"""
    )
    assert 8 * x / width == pytest.approx(3.758)
    log_sigma = high - (high - low) * y / height
    assert np.exp(2 * log_sigma) == pytest.approx(3.0955026667)


@browser_test
def test_dragging_the_ring_moves_curve_and_numbers(show):
    page = show(make_surface()).page
    before = page.locator(".lx-curve path").get_attribute("d")
    ring, (_, plot) = page.locator(".lx-handle").bounding_box(), boxes(page)
    x, y = ring["x"] + 30, ring["y"] + 16  # off its centre: the ring must not jump
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - plot["width"] / 8, y, steps=3)
    assert numbers(page) == pytest.approx([4.5, 0.8], abs=0.02)
    page.mouse.up()
    page.mouse.move(x, y)
    assert numbers(page) == pytest.approx([4.5, 0.8], abs=0.02)
    assert page.locator(".lx-curve path").get_attribute("d") != before
    page.mouse.click(plot["x"] + plot["width"] / 4, plot["y"] + 40)
    mu, sigma = numbers(page)
    assert mu == pytest.approx(2, abs=0.02) and sigma > 4
    drawn = page.locator(".lx-handle").get_attribute("aria-valuetext")
    assert drawn.startswith(
        f"\u03bc {mu:.2f}, \u03c3 {sigma:.2f}, log-likelihood \u2212"
    )


@browser_test
def test_a_finger_drags_the_ring_alone_and_taps_bring_it(show):
    page = show(make_surface(), width=360, height=900, has_touch=True).page
    style = "(el) => getComputedStyle(el).touchAction"
    plots = page.locator(".lx-plot")
    assert plots.nth(1).evaluate(style) == "auto"
    assert page.locator(".lx-handle").evaluate(style) == "none"
    plots.nth(1).scroll_into_view_if_needed()
    (_, plot) = boxes(page)
    page.touchscreen.tap(plot["x"] + plot["width"] / 4, plot["y"] + plot["height"] / 2)
    low, high = make_surface().frame["sigma"]
    assert numbers(page) == pytest.approx([2, (low * high) ** 0.5], abs=0.03)


@browser_test
def test_keys_move_the_ring_and_the_sliders_of_the_surface(show):
    page = show(make_surface()).page
    ring = page.locator(".lx-handle")
    for key in ("ArrowLeft", "Shift+ArrowLeft", "ArrowUp"):
        ring.press(key)
    assert numbers(page) == [4.9, 0.82]
    assert readings(page) == expected_readings(4.9, 0.8 * 1.02)
    ring.press("Home")
    assert numbers(page) == [5.5, 0.8]
    mean, deviation = page.locator(".lx-slider input").all()
    mean.press("End")
    deviation.press("Home")
    assert numbers(page) == [8, 0.4]
    assert mean.get_attribute("aria-valuetext") == "mean \u03bc 8.00"
    assert deviation.get_attribute("aria-valuetext") == "std. dev. \u03c3 0.40"
    ring.press("ArrowRight")
    ring.press("ArrowDown")
    assert numbers(page) == [8, 0.4]


@browser_test
def test_steps_walk_a_path_and_starting_over_clears_it(show):
    page = show(make_surface()).page
    once, again = (page.get_by_role("button", name=n) for n in ("One", "Start over"))
    once.click()
    status = page.locator(".ls-status")
    assert status.text_content() == "1 gradient step taken"
    once.click()
    theta = torch.tensor([5.5, np.log(0.8)], dtype=torch.float64)
    path = gradient_ascent(
        lambda p: petal_log_lik(p) / 150, theta, rate=0.1, num_steps=2
    )
    assert numbers(page) == pytest.approx(
        [path[-1, 0].item(), path[-1, 1].exp().item()], abs=0.006
    )
    assert page.locator(".lx-walk path").count() == 3
    again.click()
    assert numbers(page) == [5.5, 0.8] and status.text_content() == ""
    assert page.locator(".lx-walk path").count() == 1


@browser_test
def test_a_climb_plays_stops_and_ends(show):
    page = show(make_surface(num_steps=8)).page
    climb = page.locator(".ls-buttons button").nth(1)
    page.wait_for_timeout(150)
    assert numbers(page) == [5.5, 0.8]  # nothing moves by itself
    climb.click()
    assert climb.text_content() == "Stop"
    page.wait_for_function("document.querySelectorAll('.lx-walk path').length > 2")
    climb.click()
    stopped = numbers(page)
    assert climb.text_content() == "Climb" and stopped != [5.5, 0.8]
    page.wait_for_timeout(150)
    assert numbers(page) == stopped
    page.get_by_role("button", name="Start over").click()
    climb.click()
    status = page.locator(".ls-status")
    page.wait_for_function("document.querySelector('.ls-status').textContent !== ''")
    assert status.text_content() == "8 gradient steps taken"
    assert climb.text_content() == "Climb"


@browser_test
def test_a_climb_ends_where_a_step_gains_less_than_a_ten_thousandth_nat(show):
    theta = torch.tensor([5.5, np.log(0.8)], dtype=torch.float64)
    path = gradient_ascent(
        lambda p: petal_log_lik(p) / 150, theta, rate=0.1, num_steps=300
    )
    gains = petal_log_lik(path).diff().numpy()
    steps = int((gains < 1e-4).argmax())
    assert 100 < steps < 300
    page = show(make_surface()).page
    page.get_by_role("button", name="Climb").click()
    page.wait_for_function("document.querySelector('.ls-status').textContent !== ''")
    assert page.locator(".ls-status").text_content() == (
        f"{steps} gradient steps taken; the next would gain less than 0.0001 nats"
    )
    assert page.locator(".lx-walk path").count() == steps + 1
    assert readings(page)[:2] == [-297.59, 0]
    assert numbers(page) == [
        round(path[steps, 0].item(), 2),
        round(path[steps, 1].exp().item(), 2),
    ]


@browser_test
def test_the_density_axis_grows_with_the_peak(show):
    page = show(make_surface()).page
    page.wait_for_function(
        "document.querySelector('svg').viewBox.baseVal.width !== 360"
    )
    page.locator(".lx-slider input").nth(1).press("Home")
    peak = stats.norm.pdf(0, scale=0.4)
    curve = drawn(page, ".lx-curve path")[:, 1]
    assert curve.max() == pytest.approx(1 / 1.04, abs=0.005)
    bar = drawn(page, ".lx-histogram path:nth-child(2)")[:, 1].max()
    expected = make_surface().bars["heights"][1] / (1.04 * peak)
    assert bar == pytest.approx(expected, abs=0.002)
    page.get_by_role("button", name="Start over").click()
    assert drawn(page, ".lx-curve path")[:, 1].max() > 0.9
    assert "0.4" in page.locator(".lx-plot").first.text_content()


@browser_test
def test_a_small_contour_bears_no_label(show):
    page = show(make_surface()).page
    names = page.locator(".lx-names text").all_text_contents()
    assert "\u22122" not in names and "\u221210" in names


@browser_test
def test_a_step_that_is_too_long_leaves_the_picture_and_says_so(show):
    page = show(make_surface(start=(8.0, 0.4))).page
    page.get_by_role("button", name="One").click()
    assert numbers(page)[1] > 1000
    assert "has left the picture" in page.locator(".ls-status").text_content()
    ring, (_, plot) = page.locator(".lx-handle").bounding_box(), boxes(page)
    assert ring["y"] + 22 == pytest.approx(plot["y"], abs=1.5)


@browser_test
def test_a_kernel_moves_the_figure_and_hears_of_it(show):
    page = show(make_surface()).page
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    page.wait_for_function(
        "document.querySelector('svg').viewBox.baseVal.width !== 360"
    )
    assert numbers(page) == [5.5, 0.8]
    page.evaluate('m.model.set("mu", 3)')
    page.evaluate('m.model.set("sigma", 2)')
    assert numbers(page) == [3, 2] and readings(page) == expected_readings(3, 2)
    page.locator(".lx-handle").press("ArrowRight")
    assert page.evaluate('m.model.get("mu")') == pytest.approx(3.1)


@browser_test
def test_two_surfaces_and_a_latent_explorer_share_a_page(show):
    alone = show(make(2)).page
    places = """(root) => [...root.querySelectorAll("*")].map(
      (el) => el.getBoundingClientRect().width)"""
    expected = alone.locator(".lx").evaluate(places)
    visit = show(make(2), make_surface(), make_surface())
    page = visit.page
    page.evaluate(SCROLL_DOWN)
    page.wait_for_function("document.querySelectorAll('.ls').length === 2")
    assert page.locator(".lx").first.evaluate(places) == expected
    page.locator(".ls").nth(1).get_by_role("button", name="One").click()
    first, second = (numbers(page.locator(".ls").nth(k)) for k in (0, 1))
    assert first == [5.5, 0.8] and second != first
    assert page.locator("[id], input[name]").count() == 0
    assert visit.problems == []


SCROLL_DOWN = "window.scrollTo(0, document.body.scrollHeight)"


@browser_test
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_surface_is_accessible_and_fits(theme, width, show):
    visit = show(make_surface(), width=width, reduced_motion="reduce")
    page = visit.page
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    page.get_by_role("button", name="Climb").click()
    found = Axe().run(page).response["violations"]
    assert found == [], [(v["id"], v["nodes"][0]["html"]) for v in found]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    data, surface = boxes(page)
    assert (data["y"] == surface["y"]) == (width > 600)
    paper = page.locator(".lx-plot > svg > g > rect").first
    fill = paper.evaluate(
        "(el) => getComputedStyle(el).fill.match(/[\\d.]+/g).map(Number)"
    )
    assert np.mean(fill) > 200 if theme == "light" else np.mean(fill) < 60
    assert visit.problems == []


# The EM stepper

POOR = [[5.2, 2.3], [1.6, 0.2]]
COLLAPSING = [[2.17, 1.92], [5.02, 1.74]]
RUNS = [  # starts on the petals; in the last the means nearly agree
    *(GOOD, POOR, [[1.5, 0.3], [4.3, 1.3], [5.6, 2.0]]),
    *([[2.45, 0.8], [5.72, 2.15], [5.39, 0.67]], [[4.0, 1.3], [4.0, 1.31]]),
]


def make_choice():
    return make_stepper(presets={"good": GOOD, "poor": POOR})


def run_from(start, num_steps=40):
    """EM by the book's own functions, and the bound that each M-step reached."""
    x = petals()
    first = gaussian_start(x, torch.tensor(start, dtype=torch.float64))
    run = fit_em(x, first, tol=1e-4 / 150, max_steps=num_steps)
    bounds = [
        lower_bound(to, x, e_step(at, x).log_resp).sum().item()
        for at, to in pairwise(run.path)
    ]
    return run, 150 * np.array(run.objective), np.array(bounds)


def test_the_stepper_ships_runs_of_fit_em():
    stepper = make_choice()
    assert [run["name"] for run in stepper.runs] == ["good", "poor"]
    rows = np.frombuffer(stepper.numbers).reshape(-1, 14)
    for start in (GOOD, POOR):
        run, log_lik, bounds = run_from(start)
        shipped, rows = rows[: len(run.path)], rows[len(run.path) :]
        for row, (weights, mu, cov) in zip(shipped, run.path, strict=True):
            upper = [*cov[0].ravel()[[0, 1, 3]], *cov[1].ravel()[[0, 1, 3]]]
            np.testing.assert_array_equal(row[:12], [*weights, *mu.ravel(), *upper])
        np.testing.assert_allclose(shipped[:, 12], log_lik, rtol=1e-13)
        np.testing.assert_allclose(shipped[1:, 13], bounds, rtol=1e-13)
        assert shipped[0, 13] == shipped[0, 12]
    assert len(rows) == 0
    assert len(embedded(stepper)) < 54_000


def test_means_and_step_are_read_set_and_observed():
    stepper, seen = make_stepper(), []
    stepper.observe(lambda change: seen.append(change["new"]), ["means", "step"])
    stepper.means, stepper.step = POOR, 7
    assert seen == [POOR, 7]
    run, log_lik, _ = run_from(POOR)
    assert stepper.run.objective == run.objective and stepper.run.converged
    assert log_lik[-1] == pytest.approx(-218.745, abs=0.001)


def test_a_collapsing_run_stops_where_it_collapses():
    stepper = make_stepper()
    stepper.means = COLLAPSING
    with pytest.raises(CollapsedComponentError, match="component 0: its smallest"):
        _ = stepper.run
    assert len(stepper.path()) == 3
    with pytest.raises(CollapsedComponentError):
        em_step(stepper.path()[-1], petals())
    stepper.step = 9
    assert "iteration 2" in stepper.describe() and stepper.snapshot()
    with pytest.raises(CollapsedComponentError):
        make_stepper(COLLAPSING)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x": torch.ones(5, 3)}, r"finite, \(N, 2\) .* received shape \(5, 3\)"),
        ({"x": torch.full((5, 2), torch.nan)}, "10 values not finite"),
        ({"start": [[1.0, 2.0]]}, r"K from 2 to 4 .* received \[\[1.0, 2.0\]\]"),
        ({"start": [[1.0, 2.0, 3.0]] * 2}, "means must be finite"),
        ({"presets": {"a": [[1.0, 2.0]] * 3}}, "with the same K"),
        ({"num_steps": 0}, "num_steps must be at least 1; received 0"),
    ],
)
def test_the_stepper_refuses_what_it_cannot_show(given, message):
    given = {"x": petals(), "start": GOOD} | given
    x, start = given.pop("x"), torch.tensor(given.pop("start"))
    with pytest.raises(ValueError, match=message):
        EmStepper(x, start, **given)


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("means", [[0.0, torch.inf], [1.0, 1.0]], "means must be finite"),
        ("means", [*GOOD, [1.0, 1.0]], "with the same K"),
        ("step", 80, "step must be 0 to 79; received 80"),
        ("step", -1, "received -1"),
    ],
)
def test_the_stepper_refuses_traits(trait, value, message):
    with pytest.raises(ValueError, match=message):
        setattr(make_stepper(), trait, value)


def test_the_still_shows_the_step():
    stepper = make_stepper()
    picture = stepper.snapshot()
    assert len(picture) <= 20_000
    assert Image.open(io.BytesIO(picture)).size == (1280, 600)
    assert "which touches it at -284.3 nats." in stepper.describe()
    stepper.step = 3
    assert "tops out at -242.2 nats under -234.2" in stepper.describe()
    assert stepper.snapshot() != picture


PAGE_RUN = """([start, positions]) => {
  const { eStep, fitEm, sliceHeights, startFrom } = m.module;
  const x = m.model.get("x");
  const run = fitEm(x, startFrom(x, start), 40, m.model.get("least_gain"));
  const slices = run.path.slice(0, -1).map((from, t) =>
    sliceHeights(x, [from, run.path[t + 1]], [eStep(from, x)], positions));
  return { ...run, slices };
}"""
POSITIONS = [-0.3, -0.1, 0, 0.35, 0.8, 1, 1.2, 1.5]


@browser_test
@pytest.mark.parametrize("start", RUNS, ids=lambda start: str(start[0]))
def test_em_in_the_page_equals_python(start, show):
    visit = show(make_stepper())
    visit.page.evaluate(STAND_IN)
    page = visit.page.evaluate(PAGE_RUN, [start, POSITIONS])
    run, log_lik, bounds = run_from(start)
    close = {"rtol": 0, "atol": 1e-9}
    for name in ("weights", "mu", "cov"):
        theirs = np.array([mixture[name] for mixture in page["path"]])
        ours = torch.stack([getattr(mixture, name) for mixture in run.path])
        np.testing.assert_allclose(theirs, ours, **close)
    np.testing.assert_allclose(page["logLik"], log_lik, **close)
    np.testing.assert_allclose(page["bounds"], [log_lik[0], *bounds], **close)
    assert page["end"] == ("converged" if run.converged else "steps")
    ends = zip(pairwise(run.path), page["slices"], strict=True)
    for (a, b), rows in ends:
        np.testing.assert_allclose(rows, heights_between(a, b), **close)
        bound = {s: height for s, _, height in rows}
        assert max(bound.values()) == bound[1]


def clumped(share):
    """Thirty rows, and ten whose least variance is that share of the whole's."""
    angle = 2 * np.pi * np.arange(10)[:, None] / 10
    circle = np.hstack([np.cos(angle), np.sin(angle)])  # variance one half
    wide, middle = np.random.default_rng(0).normal(size=(30, 2)), np.full((10, 2), 6)
    whole = np.concatenate([wide, middle]).var(0).max()
    x = np.concatenate([wide, middle + np.sqrt(2 * share * whole) * circle])
    return torch.from_numpy(x * [1, 100])


def in_page_and_python(show, x, means):
    """EM in the page, and ``fit_em`` with so many steps: both from ``means`` on x."""
    page = show(make_stepper()).page
    page.evaluate(STAND_IN)
    page.evaluate("(x) => m.model.set('x', x)", x.tolist())
    start = gaussian_start(x, torch.tensor(means, dtype=torch.float64))

    def run(max_steps=40):
        return fit_em(x, start, tol=1e-4 / len(x), max_steps=max_steps)

    return page.evaluate(PAGE_RUN, [means, []]), run


@browser_test
def test_a_clump_collapses_at_the_step_where_python_says_so(show):
    page, run = in_page_and_python(show, clumped(0.5e-10), [[0, 0], [6, 600]])
    steps = len(page["path"])
    assert page.get("fault") == {"k": 1, "kind": "flat"} and steps > 2
    assert len(run(steps - 2).path) == steps - 1
    with pytest.raises(CollapsedComponentError, match=r"component 1: .* 5e-11 of"):
        run(steps - 1)


@browser_test
@pytest.mark.parametrize(
    ("x", "means"),
    [(clumped(2e-10), [[0, 0], [6, 600]]), (petals(), [[3e5, 3e5], [3e5, 3e5]])],
    ids=["a tight clump", "a start far away"],
)
def test_what_python_fits_is_no_collapse(x, means, show):
    page, run = in_page_and_python(show, x, means)
    expected = run()
    assert page["end"] == "converged" and expected.converged
    log_lik = len(x) * expected.objective[-1]
    assert page["logLik"][-1] == pytest.approx(log_lik, abs=1e-3)


def heights_between(a, b):
    """Rows (s, log-likelihood, bound that touches at a) where a mixture lies."""
    x, rows = petals(), []
    log_resp = e_step(a, x).log_resp
    for s in POSITIONS:
        at = GaussianMixture(*(torch.lerp(p, q, s) for p, q in zip(a, b, strict=True)))
        if (at.weights > 0).all() and (torch.linalg.eigvalsh(at.cov) > 0).all():
            log_lik = e_step(at, x).log_evidence.sum()
            rows.append([s, log_lik, lower_bound(at, x, log_resp).sum()])
    return rows


def heights_shown(page):
    return numbers(page, ".le-readings dd")


def press(page, *names):
    for name in names:
        page.get_by_role("button", name=name, exact=True).click()


@browser_test
def test_half_steps_touch_climb_and_add_up(show):
    page = show(make_stepper()).page
    run, log_lik, bounds = run_from(GOOD)
    for step in range(2 * len(bounds)):
        t, half = divmod(step, 2)
        reached = bounds[t] if half else log_lik[t]
        expected = [log_lik[t + half], reached, log_lik[t + half] - reached]
        shown = heights_shown(page)
        assert shown == pytest.approx(expected, abs=0.0011)
        assert shown[0] == pytest.approx(shown[1] + shown[2], abs=1e-9)
        status = page.locator(".le-status").text_content()
        said = "the bound" if step < 2 * len(bounds) - 1 else "nothing moves any more"
        assert status.startswith(f"Iteration {t + 1}, {'EM'[half]}-step: {said}")
        weights = numbers(page, ".le td:nth-child(2)")
        expected = run.path[t + half].weights.tolist()
        assert weights == pytest.approx(expected, abs=0.0006)
        page.locator(".le input").press("ArrowRight")
    assert "more: bound and log-likelihood are equal to three decimals." in status
    assert "Converged: gain under 0.0001 nats" in status
    assert numbers(page, ".le td:nth-child(2)") == [0.333, 0.667]
    assert heights_shown(page) == [-154.731, -154.731, 0]
    press(page, "Back")
    assert page.locator(".le-status").text_content().startswith("Iteration 10, E-step")
    press(page, "Start over")
    assert heights_shown(page) == [-284.302, -284.302, 0]


def place_of(page, selector):
    """Centre of a mark in the second plot, as its data."""
    return page.locator(selector).evaluate("""(el) => {
      const { width, height } = el.ownerSVGElement;
      return [el.cx.baseVal.value / width.baseVal.value * 1.8 - 0.3,
        el.cy.baseVal.value, height.baseVal.value];
    }""")


@browser_test
def test_the_marks_are_where_the_curves_are(show):
    page = show(make_stepper()).page
    assert place_of(page, ".lx-em-marks .both")[0] == pytest.approx(0, abs=1e-6)
    page.wait_for_timeout(100)
    press(page, "Step")
    (s, top, _), (at, low, _) = (
        place_of(page, f".lx-em-marks .{name}") for name in ("likelihood", "bound")
    )
    assert [s, at] == pytest.approx([1, 1], abs=1e-6) and top < low
    for name, height in (("em-lik", top), ("em-bound", low)):
        curve = drawn(page, f".lx-plot .lx-{name} path >> nth=0")
        _, _, whole = place_of(page, ".lx-em-marks .likelihood")
        at_one = np.interp(1.3 / 1.8, *curve.T)
        assert at_one == pytest.approx(1 - height / whole, abs=0.002)
    assert drawn(page, ".lx-em-bound path >> nth=0")[:, 1].argmax() == 26
    words = page.locator(".lx-em-words").first.text_content()
    assert words == "KL 8.027"
    press(page, "Step")
    words = page.locator(".lx-em-words").first.text_content()
    assert words == "lifted by 8.027 to touch"


@browser_test
def test_dragging_a_ring_starts_another_run(show):
    page = show(make_stepper()).page
    page.wait_for_timeout(100)
    press(page, "Step", "Step")
    ring, plot = page.locator(".lx-handle").nth(1), boxes(page)[0]
    box = ring.bounding_box()
    page.mouse.move(box["x"] + 26, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 26 + plot["width"] / 7.67, box["y"] + 20, steps=3)
    page.mouse.up()
    means = numbers_in(ring.get_attribute("aria-valuetext"))[1:]
    assert means == pytest.approx([5.6, 1.5], abs=0.02)
    first = page.locator(".lx-handle").first.get_attribute("aria-valuetext")
    assert numbers_in(first) == [1, 1.9, 0.4]
    press(page, "Step")
    start = page.locator(".le-status").text_content()
    assert start.startswith("Iteration 1, M-step")
    ring.press("Home")
    assert heights_shown(page) == [-284.302, -284.302, 0]
    ring.press("Shift+ArrowRight")
    ring.press("ArrowDown")
    moved = [4.6 + 5 * 7.67 / 80, 1.5 - 3.12 / 80]
    _, log_lik, bounds = run_from([GOOD[0], moved])
    press(page, "Step")
    expected = [log_lik[1], bounds[0], log_lik[1] - bounds[0]]
    assert heights_shown(page) == pytest.approx(expected, abs=0.0011)


def numbers_in(text):
    return [float(n) for n in re.findall(r"\d+(?:\.\d+)?", text)]


@browser_test
def test_starts_offered_end_at_different_heights(show):
    page = show(make_choice(), reduced_motion="reduce").page
    poor = page.get_by_role("button", name="poor")
    press(page, "poor", "Play")
    assert poor.get_attribute("aria-pressed") == "true"
    assert heights_shown(page)[0] == -218.745
    status = page.locator(".le-status").text_content()
    assert status.endswith("Another start ends 64.014 nats higher.")
    press(page, "good")
    assert poor.get_attribute("aria-pressed") == "false"
    press(page, "Play")
    assert heights_shown(page)[0] == -154.731
    assert "Another" not in page.locator(".le-status").text_content()


# Of the site's theme, where it concerns what the stepper is made of
THEME = """dl[class]:not(.option-list,.field-list) { margin-bottom: 3rem }
dl[class]:not(.option-list,.field-list) dd { margin-left: 2rem }
dd { margin-top: 3px; margin-bottom: 10px; margin-left: 30px }"""


@browser_test
@pytest.mark.parametrize("width", [360, 1280])
def test_numbers_are_whole_and_nothing_jumps(width, show):
    page = show(make_choice(), width=width).page
    page.add_style_tag(content=THEME)
    press(page, "poor", "Step")
    panel = page.locator(".lx-part").nth(1).bounding_box()
    for number in page.locator(".le-readings dd").all():
        box = number.bounding_box()
        assert box["x"] + box["width"] <= panel["x"] + panel["width"]
        assert number.evaluate("(el) => el.scrollWidth <= el.clientWidth")
    slider, heights = page.locator(".le input"), set()
    for key in ("Home", "ArrowRight", "End"):
        slider.press(key)
        heights.add(page.locator(".le").bounding_box()["height"])
    for _ in range(6):
        page.locator(".lx-handle").first.press("Shift+ArrowLeft")
        slider.press("End")
        heights.add(page.locator(".le").bounding_box()["height"])
    assert len(heights) == 1


@browser_test
def test_a_number_stands_on_the_ring_until_the_centre_has_left_it(show):
    page = show(make_stepper()).page
    page.wait_for_timeout(100)
    discs = page.locator(".lx-em-numbers circle")
    numbers = page.locator(".lx-em-numbers text")
    assert discs.count() == 0 and numbers.all_text_contents() == ["1", "2"]
    press(page, "Step")
    assert discs.count() == 1 and numbers.count() == 2
    at = "(el) => ['x', 'y'].map((k) => el[k].baseVal[0].value)"
    mean = "(el) => ['cx', 'cy'].map((k) => el[k].baseVal.value)"
    centres = page.locator(".lx-em-centres circle")
    assert numbers.nth(0).evaluate(at) == centres.nth(0).evaluate(mean)
    assert numbers.nth(1).evaluate(at) == discs.evaluate(mean)


@browser_test
def test_the_history_holds_the_first_value_and_the_best(show):
    page = show(make_choice()).page
    page.wait_for_timeout(100)
    for name in ("good", "poor"):
        press(page, name)
        climb = drawn(page, ".lx-em-rest path >> nth=1")[:, 1]
        assert 0 < climb[0] < 0.1
        best = drawn(page, ".lx-em-best path")[0, 1]
        assert climb.max() - 1e-3 <= best < 0.9
    words = page.locator(".lx-em-words text").last
    assert words.text_content() == "best start: \u2212154.731"
    top = drawn(page, ".lx-em-now path")[:, 1].max()
    assert top == pytest.approx(best, abs=0.01)


@browser_test
def test_play_moves_pauses_and_the_slider_goes_anywhere(show):
    page = show(make_stepper()).page
    page.wait_for_timeout(300)
    slider, play = page.locator(".le input"), page.locator(".le-buttons button").nth(2)
    assert slider.input_value() == "0"  # nothing moves by itself
    play.click()
    assert play.text_content() == "Pause"
    page.wait_for_function("document.querySelector('.le input').value === '1'")
    play.click()
    assert play.text_content() == "Play"
    slider.press("End")
    assert slider.get_attribute("aria-valuetext") == "Iteration 10, M-step"
    assert slider.get_attribute("max") == "19"
    slider.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == "Iteration 10, E-step"


@browser_test
def test_a_kernel_moves_the_stepper_and_a_collapse_is_said(show):
    page = show(make_stepper()).page
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    page.evaluate("m.model.set('step', 3)")
    _, log_lik, _ = run_from(GOOD)
    assert heights_shown(page)[0] == pytest.approx(log_lik[2], abs=0.0006)
    page.evaluate("(means) => m.model.set('means', means)", COLLAPSING)
    page.locator(".le input").press("End")
    assert page.evaluate("m.model.get('step')") == 3
    status = page.locator(".le-status").text_content()
    assert "the next M-step would leave component 1 with no width" in status
    rows = page.evaluate(PAGE_RUN, [COLLAPSING, POSITIONS])
    assert len(rows["path"]) == 3 and rows["fault"] == {"k": 0, "kind": "flat"}
    page.evaluate("m.model.set('means', [[1.9, 0.4], [1000, 1000]])")
    words = page.locator(".lx-em-words").first.locator("text").all_text_contents()
    said = ["No M-step from here:", "it would leave component 2", "with no weight"]
    assert words == said
    slice_, history = page.locator(".lx-plot").nth(1), page.locator(".lx-plot").nth(2)
    assert slice_.locator("svg > g > line").count() == 0
    _, y, height = place_of(history, ".lx-em-marks circle")
    assert 0 < y < height
    same = [[4.0, 1.3], [4.0, 1.3]]
    page.evaluate("(means) => m.model.set('means', means)", same)
    page.locator(".le input").press("End")
    assert "Converged" in page.locator(".le-status").text_content()


@browser_test
def test_two_steppers_do_not_clash(show):
    visit = show(make_stepper(), make_stepper(POOR), make_surface())
    page = visit.page
    page.evaluate(SCROLL_DOWN)
    page.wait_for_function("document.querySelectorAll('.lx').length === 3")
    page.locator(".le").nth(1).get_by_role("button", name="Step").click()
    first, second = (page.locator(".le").nth(k) for k in (0, 1))
    assert heights_shown(first) == [-284.302, -284.302, 0]
    assert heights_shown(second)[2] == pytest.approx(8.13, abs=0.01)
    assert page.locator("[id], input[name]").count() == 0
    assert visit.problems == []


@browser_test
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_stepper_is_accessible_and_fits(theme, width, show):
    stepper = make_stepper(RUNS[2], presets={"poor": RUNS[3]})
    visit = show(stepper, width=width)
    page = visit.page
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    press(page, "Step", "Step", "Step")
    found = Axe().run(page).response["violations"]
    assert found == [], [(v["id"], v["nodes"][0]["html"]) for v in found]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    flowers, heights, _ = boxes(page)
    assert (flowers["y"] == heights["y"]) == (width > 600)
    ink = page.locator(".lx-em-lik path").first.evaluate(
        "(el) => getComputedStyle(el).stroke"
    )
    assert ink == ("rgb(29, 39, 51)" if theme == "light" else "rgb(230, 235, 240)")
    assert visit.problems == []


DRAGGED = """async () => {
  const ring = document.querySelectorAll(".lx-handle")[1];
  const box = ring.getBoundingClientRect();
  const fire = (type, k) => ring.dispatchEvent(new PointerEvent(type, {
    bubbles: true, pointerId: 1, pointerType: "mouse", button: 0,
    clientX: box.left + 22 + 60 * Math.sin(k / 9),
    clientY: box.top + 22 + 40 * Math.sin(k / 5),
  }));
  fire("pointerdown", 0);
  for (let k = 1; k <= 60; k++) {
    await new Promise(requestAnimationFrame);
    fire("pointermove", k);
  }
  fire("pointerup", 60);
}"""


@browser_test
def test_a_dragged_run_is_computed_and_drawn_within_a_frame(show):
    page = show(make_stepper(RUNS[2])).page
    each = work_per_move(page, DRAGGED)
    print(f"a dragged run, computed and drawn: {each:.1f} ms of processor time")
    assert each <= 16
