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
from scipy import integrate, stats
from scipy.spatial import cKDTree
from sklearn.datasets import load_iris
from torch.distributions import Bernoulli, Normal, kl_divergence

from vaebook.approximation import laplace
from vaebook.autoencoder import Autoencoder
from vaebook.bayes import LinearGaussian, standard_gaussian
from vaebook.datasets import load_digits
from vaebook.em import e_step, em_step, fit_em, lower_bound
from vaebook.explore import (
    EllipseExplorer,
    EmStepper,
    GradientRace,
    LatentExplorer,
    LatentPads,
    LikelihoodExplorer,
    PosteriorExplorer,
    ProposalExplorer,
    SamplerRace,
    SpectrumExplorer,
    explore,
    rounded,
)
from vaebook.explore.bundle import bundle
from vaebook.explore.fallback import VIEW
from vaebook.explore.packing import fixed_noise_terms
from vaebook.explore.pads import SOURCES
from vaebook.explore.quantise import twelve_bits
from vaebook.explore.spectrum_still import mean_log_p
from vaebook.figures import CLASS_COLOURS
from vaebook.kl_fits import Banana
from vaebook.likelihood import FullGaussian, gaussian_log_prob, gradient_ascent
from vaebook.mixtures import CollapsedComponentError, GaussianMixture
from vaebook.monte_carlo import (
    effective_sample_size,
    self_normalized_estimate,
    tail_index,
)
from vaebook.site.serve import server
from vaebook.starts import gaussian_start
from vaebook.vae import VAE
from vaebook.variational import full_gaussian_kl

ROOT = Path(__file__).parents[1]
HOST = ROOT / "chapters" / "_static" / "widget-host.js"
STATE = "application/vnd.jupyter.widget-state+json"


def briefly_trained(latent_dim, epochs=25, kind=VAE):
    rng, x = torch.Generator().manual_seed(0), load_digits().train.x
    model = kind(64, (64,), latent_dim, rng=rng)
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


def make_ellipse(target="banana", **options):
    return EllipseExplorer(target, **options)


def versicolor():
    x = torch.from_numpy(load_iris().data[50:100, 2])
    return x[torch.randperm(50, generator=torch.Generator().manual_seed(0))]


def make_posterior(prior=(4.0, 1.0), **options):
    given = {"sigma": 0.47, "num_seen": 5} | options
    return PosteriorExplorer(versicolor(), prior=prior, **given)


def trained_autoencoder():
    if "autoencoder" not in MODELS:
        MODELS["autoencoder"] = briefly_trained(2, kind=Autoencoder)
    return MODELS["autoencoder"]


def make_pads(models=None, **options):
    models = models or {"autoencoder": trained_autoencoder(), "VAE": model_of(2)}
    noise = torch.Generator().manual_seed(4)
    return LatentPads(models, *load_digits().test, rng=noise, **options)


def make_spectrum(**options):
    digits = load_digits(binarize=False)
    return SpectrumExplorer(digits.train.x, digits.test.x, **options)


each_explorer = pytest.mark.parametrize(
    "make_widget",
    [
        make,
        make_frames,
        make_surface,
        make_stepper,
        make_ellipse,
        make_posterior,
        make_pads,
        make_spectrum,
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
    return of_axes(path, points)


def of_axes(shape, points):
    """Points of a plot as fractions of its axes: (N, 2), up positive."""
    inner = shape.evaluate(
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


# The posterior of a mean


PRIORS = [(4, 1, 0.47, 5), (4, 1, 0.47, 0), (4, 30, 0.47, 50), (1.5, 0.2, 1.2, 23)]


def with_prior(explorer, *values):
    for name, value in zip(("mu0", "tau", "sigma", "num_seen"), values, strict=True):
        setattr(explorer, name, value)
    return explorer


def test_one_value_has_the_evidence_of_the_book():
    x = torch.tensor([2.0], dtype=torch.float64)
    explorer = PosteriorExplorer(x, sigma=1, prior=(0, 1))
    assert explorer.log_evidence() == explorer.best_log_lik() == 0
    assert explorer.log_predictive() == pytest.approx(-2.2655121235, abs=5e-11)
    explorer.num_seen = 1
    assert explorer.log_evidence() == pytest.approx(-2.2655121235, abs=5e-11)
    assert explorer.log_predictive() is None
    assert explorer.best_log_lik() == pytest.approx(stats.norm.logpdf(0))
    assert [v.item() for v in explorer.posterior()] == pytest.approx([1, 0.5])
    assert [v.item() for v in explorer.predictive()] == pytest.approx([1, 1.5])


@pytest.mark.parametrize("setting", PRIORS)
def test_a_learned_mean_equals_quadrature_and_scipy(setting):
    mu0, tau, sigma, seen = setting
    explorer, x = (
        with_prior(make_posterior(), *setting),
        versicolor().numpy()[: setting[-1]],
    )
    grid = np.linspace(mu0 - 15 * tau, mu0 + 15 * tau, 200_001)
    log_lik = stats.norm.logpdf(x[:, None], grid, sigma).sum(0)
    joint = np.exp(log_lik + stats.norm.logpdf(grid, mu0, tau) - log_lik.max())
    density = joint / joint.sum()
    mean = (density * grid).sum()
    var = (density * (grid - mean) ** 2).sum()
    posterior, predictive = explorer.posterior(), explorer.predictive()
    assert [v.item() for v in posterior] == pytest.approx([mean, var], rel=1e-9)
    expected = [mean, var + sigma**2]
    assert [v.item() for v in predictive] == pytest.approx(expected, rel=1e-9)
    total = np.log(joint.sum() * (grid[1] - grid[0])) + log_lik.max()
    assert explorer.log_evidence() == pytest.approx(total, rel=1e-9, abs=1e-9)
    at_best = stats.norm.logpdf(x, x.mean() if seen else 0, sigma).sum()
    assert explorer.best_log_lik() == pytest.approx(at_best)


def test_evidence_is_the_sum_of_what_each_value_was_worth_before():
    explorer, worth = make_posterior(num_seen=0), 0
    for seen in range(50):
        explorer.num_seen = seen
        assert explorer.log_evidence() == pytest.approx(worth)
        worth += explorer.log_predictive()
    log_evidence, best = explorer.model.history(versicolor())
    assert log_evidence[-1].item() == pytest.approx(worth)
    assert (best - log_evidence)[1:].min() > 0 == best[0] == log_evidence[0]


def test_prior_noise_and_data_are_read_set_and_observed():
    explorer, seen = make_posterior(), []
    assert explorer.start == {"mu0": 4, "tau": 1, "sigma": 0.47} | {
        "num_seen": 5,
        "relative": True,
    }
    explorer.observe(lambda change: seen.append(change["name"]), list(explorer.start))
    with_prior(explorer, 3, 2, 1, 7)
    assert seen == ["mu0", "tau", "sigma", "num_seen"]
    assert explorer.seen.tolist() == explorer.x[:7]


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("mu0", float("inf"), "mu0 must be finite; received inf"),
        ("tau", 0.0, "tau must be positive and finite; received 0.0"),
        ("tau", float("inf"), "tau must be positive and finite; received inf"),
        ("sigma", -1.0, "sigma must be positive and finite; received -1.0"),
        ("sigma", float("nan"), "sigma must be positive and finite; received nan"),
        ("num_seen", 51, "num_seen must be 0 to 50; received 51"),
        ("num_seen", -1, "received -1"),
    ],
)
def test_the_posterior_refuses_what_it_cannot_be(trait, value, message):
    explorer = make_posterior()
    with pytest.raises(ValueError, match=message):
        setattr(explorer, trait, value)
    given = {"prior": (4.0, 1.0), "sigma": 1.0, trait: value}
    if trait in ("mu0", "tau"):
        del given[trait]
        given["prior"] = (value, 1.0) if trait == "mu0" else (4.0, value)
    with pytest.raises(ValueError, match=message):
        make_posterior(**given)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.ones(3, 2), r"x must be finite, \(N,\) .* received shape \(3, 2\)"),
        (torch.ones(0), r"N from 1 to 500; received shape \(0,\)"),
        (torch.ones(501), r"received shape \(501,\)"),
        (torch.tensor([1.0, float("nan")]), "1 values not finite"),
    ],
)
def test_data_without_a_mean_to_learn_are_refused(x, message):
    with pytest.raises(ValueError, match=message):
        PosteriorExplorer(x, sigma=1, prior=(0, 1))


@pytest.mark.parametrize("scale", [1e-3, 1, 40])
def test_the_frame_of_the_posterior_holds_data_and_start(scale):
    x = scale * versicolor()
    prior = (2 * scale, 80 * scale)
    frame = PosteriorExplorer(x, sigma=0.47 * scale, prior=prior).frame
    assert frame["mu"][0] < 2 * scale < x.max() < frame["mu"][1] < 10 * scale
    assert frame["tau"][0] <= 0.05 * scale and 80 * scale <= frame["tau"][1]
    assert frame["sigma"][0] < 0.2 * scale and 1.5 * scale < frame["sigma"][1]


def test_the_still_shows_the_posterior():
    explorer = make_posterior(num_seen=20)
    pictures = [explorer.snapshot()]
    assert len(pictures[0]) <= 20_000
    assert Image.open(io.BytesIO(pictures[0])).size == (1280, 600)
    mean, var = (v.item() for v in explorer.posterior())
    assert f"the posterior, {mean:.2f} \u00b1 {var**0.5:.2f};" in explorer.describe()
    assert f"{explorer.log_evidence():.2f} nats, beside" in explorer.describe()
    for name, value in {"relative": False, "tau": 0.2, "num_seen": 0}.items():
        setattr(explorer, name, value)
        pictures.append(explorer.snapshot())
    assert len(set(pictures)) == 4


def test_the_posterior_is_light():
    assert len(embedded(make_posterior())) < 40_000


def page_numbers(explorer):
    """What the figure says, by vaebook.bayes: the numbers in the order of the page."""
    mean, var = (v.item() for v in explorer.posterior())
    centre, spread = (v.item() for v in explorer.predictive())
    log_evidence, best = explorer.log_evidence(), explorer.best_log_lik()
    home = with_prior(
        make_posterior(), explorer.start["mu0"], explorer.start["tau"], 1, 0
    )
    home.sigma, home.num_seen = explorer.sigma, explorer.num_seen
    return [
        *(mean, var**0.5, centre, spread**0.5, explorer.log_predictive()),
        *(best, best - log_evidence, log_evidence, log_evidence - home.log_evidence()),
    ]


@browser_test
def test_learning_in_the_page_equals_python(show):
    visit = show(make_posterior())
    visit.page.evaluate(STAND_IN)
    noise, explorer = np.random.default_rng(8), make_posterior()
    settings = [
        [noise.uniform(0, 8), *np.exp(noise.uniform([-3, -2], [4, 1])), int(seen)]
        for seen in noise.integers(0, 50, 100)
    ]
    page = visit.page.evaluate(
        """(settings) => settings.map(([mu0, tau, sigma, seen]) => {
          const { learn, logDensity, predictive } = m.module;
          const x = m.model.get("x");
          const run = learn(x, [mu0, tau], sigma);
          const { posterior, logEvidence, best } = run[seen];
          const ahead = predictive(posterior, sigma);
          const home = learn(x, [4, 1], sigma)[seen].logEvidence;
          return [...posterior, ...ahead, logDensity(x[seen], ahead),
            best, best - logEvidence, logEvidence, logEvidence - home];
        })""",
        settings,
    )
    expected = [page_numbers(with_prior(explorer, *setting)) for setting in settings]
    np.testing.assert_allclose(page, expected, rtol=1e-9, atol=1e-5)
    assert visit.problems == []


MOVE_PRIOR = """(values) => ["mu0", "tau", "sigma", "num_seen"].forEach(
  (name, k) => m.model.set(name, values[k]))"""


@browser_test
def test_numbers_on_the_page_are_those_of_the_setting(show):
    page, explorer = show(make_posterior()).page, make_posterior()
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    for setting in PRIORS:
        page.evaluate(MOVE_PRIOR, setting)
        assert numbers(page) == list(setting)
        expected = page_numbers(with_prior(explorer, *setting))
        texts = page.locator(".lx-reading dd").all_text_contents()
        if setting[-1] == 50:
            assert texts.pop(2) == "all seen"
            expected.remove(None)
        shown = re.findall(r"-?\d+\.\d+", " ".join(texts).replace("\u2212", "-"))
        np.testing.assert_allclose(
            [float(n) for n in shown[:4]], expected[:4], atol=6e-4
        )
        np.testing.assert_allclose(
            [float(n) for n in shown[4:]], expected[4:], atol=0.011
        )
        best, price, log_evidence, gain = map(float, shown[-4:])
        assert best - price == pytest.approx(log_evidence, abs=1e-9)
        word = page.locator(".lp-evidence .lx-lp-word")
        assert word.text_content() == (f"price {price:.2f}" if setting[-1] else "")
        assert texts[-1].startswith("+") == (gain > 0)
    status = page.locator(".lp-status").text_content()
    explorer.num_seen -= 1
    paid = f"{explorer.log_predictive():.2f}".replace("-", "\u2212")
    value = f"{explorer.x[explorer.num_seen]:.1f}"
    assert (
        status == f"The last value, {value}, had log p {paid} nats before it was seen."
    )


INNER_SIZE = "(el) => ['width', 'height'].map((k) => el[k].baseVal.value)"


def to_scale(page, selector, low, high):
    """Vertices of a path, in data units: x between low and high."""
    points = drawn(page, selector)
    points[:, 0] = low + (high - low) * points[:, 0]
    return points


def is_density(points, mean, sigma):
    """Whether heights are proportional to a Gaussian's density; the factor."""
    expected = stats.norm.pdf(points[:, 0], mean, sigma)
    factor = points[:, 1].max() / expected.max()
    np.testing.assert_allclose(points[:, 1], factor * expected, atol=0.02)
    return factor


@browser_test
@pytest.mark.parametrize("setting", [PRIORS[0], PRIORS[3], (2, 0.5, 0.1, 49)])
def test_the_curves_of_the_posterior_are_drawn_to_scale(setting, show):
    explorer = with_prior(make_posterior(), *setting)
    (mu0, tau, sigma, seen), page = setting, show(explorer).page
    page.wait_for_timeout(100)
    frame, x = explorer.frame["mu"], explorer.seen
    curves = {
        "prior": (mu0, tau),
        "likelihood": (x.mean().item(), sigma / len(x) ** 0.5),
        "posterior": [explorer.posterior().mu.item(), explorer.posterior().var.item()],
        "predictive": [v.item() for v in explorer.predictive()],
    }
    for name in ("posterior", "predictive"):
        curves[name][1] **= 0.5
    factors = [
        is_density(to_scale(page, f".lx-lp-{name} path", *frame), *gaussian)
        for name, gaussian in curves.items()
    ]
    assert factors[0] == pytest.approx(factors[1], rel=0.01)
    assert factors[2] == pytest.approx(factors[1], rel=0.01)
    assert factors[3] == pytest.approx(sigma / 1.25 / stats.norm.pdf(0), rel=0.01)
    peak = drawn(page, ".lx-lp-posterior path")[:, 1]
    assert peak.max() == pytest.approx(1 / 1.1, abs=1e-3)
    assert np.abs(np.diff(peak)).max() < 0.08  # no corners where it is narrow
    for k, name in enumerate(("posterior", "predictive")):
        fill = drawn(page, f".lx-lp-fill path >> nth={k}")
        np.testing.assert_allclose(fill[[0, -1]], [[0, 0], [1, 0]], atol=1e-3)
        np.testing.assert_array_equal(fill[1:-1], drawn(page, f".lx-lp-{name} path"))
    dot = place_of(page, ".lx-lp-dot circle")
    value, density = explorer.x[seen], np.exp(explorer.log_predictive())
    assert dot[1] == pytest.approx(dot[2] * (1 - factors[3] * density), abs=0.5)
    share = (value - frame[0]) / (frame[1] - frame[0])
    assert (dot[0] + 0.3) / 1.8 == pytest.approx(share)
    words = page.locator(".lp-forecast .lx-lp-word").text_content()
    assert words == f"next: {value:.1f}"


def evidence_heights(page, layer, bottom, top):
    """A curve of the evidence panel, in nats."""
    return bottom + (top - bottom) * drawn(page, f".lx-lp-{layer} path")[:, 1]


@browser_test
def test_the_evidence_is_drawn_beside_the_best_mean_and_the_start(show):
    explorer = make_posterior()
    with_prior(explorer, 2.5, 0.3, 0.6, 30)
    page = show(explorer).page
    page.wait_for_timeout(100)
    whole = explorer.model.history(versicolor())
    home = explorer.model._replace(mu0=4, tau=1).history(versicolor())[0]
    measure = page.get_by_label("Measure from the best mean")
    assert measure.is_checked()
    for base in (whole[1], 0 * home):
        curves = {"evidence": whole[0], "start": home, "best": whole[1]}
        curves = {name: (curve - base).numpy() for name, curve in curves.items()}
        low = min(curve.min() for curve in curves.values())
        axis = (1.08 * low, -0.12 * low)
        if not measure.is_checked():
            shown = evidence_heights(page, "best", *axis)
            np.testing.assert_allclose(shown, curves["best"][:31], atol=0.1)
        else:
            np.testing.assert_allclose(
                evidence_heights(page, "best", *axis), [0, 0], atol=0.1
            )
        for name in ("evidence", "start"):
            shown = evidence_heights(page, name, *axis)
            np.testing.assert_allclose(shown, curves[name][:31], atol=-0.01 * low)
        ends = evidence_heights(page, "price", *axis)
        expected = [curves["best"][30], curves["evidence"][30]]
        np.testing.assert_allclose(ends, expected, atol=-0.01 * low)
        across = to_scale(page, ".lx-lp-evidence path", -1, 51)[:, 0]
        np.testing.assert_allclose(across, range(31), atol=0.01)
        measure.uncheck()
    best, log_evidence = explorer.best_log_lik(), explorer.log_evidence()
    price = round(best, 2) - round(log_evidence, 2)
    words = page.locator(".lp-evidence .lx-lp-word").text_content()
    assert words == f"price {price:.2f}"


@browser_test
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("relative", [True, False])
def test_the_word_of_a_small_price_lies_above_the_curves(relative, width, show):
    explorer = make_posterior((1.0, 0.2), num_seen=45)
    explorer.mu0, explorer.tau, explorer.relative = 4.0, 0.5, relative
    page = show(explorer, width=width).page
    page.wait_for_timeout(100)
    slider = page.locator(".lx-slider input").nth(3)
    for key in ("ArrowLeft", "End", "Home", "ArrowRight", "ArrowRight"):
        slider.press(key)
        if key == "Home":
            continue
        inside, word, *curves = page.evaluate(
            """() => ["price", "word text", "evidence path", "start path", "best path"]
            .map((name) => document.querySelector(`.lp-evidence .lx-lp-${name}`))
            .map((el, k) => k === 0 ? el.ownerSVGElement.width.baseVal.value
              : k === 1 ? ["x", "y", "width", "height"].map((key) => el.getBBox()[key])
              : el.getAttribute("d").match(/[-\\d.]+/g).map(Number))"""
        )
        left, top, across, down = word
        assert top > -6 and left + across < inside
        for curve in curves:
            x, y = np.array(curve).reshape(-1, 2).T
            at = np.interp(np.linspace(left, left + across, 50), x, y, np.inf, np.inf)
            assert top + 0.75 * down < at.min()


@browser_test
def test_values_pile_up_and_darken_when_they_are_seen(show):
    explorer = make_posterior()
    page = show(explorer).page
    page.wait_for_timeout(100)
    marks = {name: page.locator(f".lx-lp-{name} path") for name in ("seen", "to-come")}
    assert [m.count() for m in marks.values()] == [5, 45]
    low, high = explorer.frame["mu"]
    width, height = page.locator(".lx-plot svg svg").nth(1).evaluate(INNER_SIZE)
    read = "all => all.map(e => e.getAttribute('d').match(/[\\d.]+/g).map(Number))"
    places = np.array(
        marks["seen"].evaluate_all(read) + marks["to-come"].evaluate_all(read)
    )
    values = low + (high - low) * places[:, 0] / width
    np.testing.assert_allclose(values, explorer.x, atol=0.01)
    feet = (height - 2 - places[:, 1]) / (height - 2 - places[:, 1]).max()
    x = np.array(explorer.x)
    ranks = np.array([(x[:k] == x[k]).sum() for k in range(50)])
    np.testing.assert_allclose(feet, ranks / ranks.max(), atol=0.01)
    page.get_by_role("button", name="Add a flower").click()
    assert [m.count() for m in marks.values()] == [6, 44]


@browser_test
def test_flowers_are_added_until_all_are_seen_and_start_over(show):
    page = show(make_posterior(labels=("petal length, cm", "an iris"))).page
    once, ten = (page.get_by_role("button", name=f"Add {n}") for n in ("an", "ten"))
    once.click()
    assert numbers(page) == [4, 1, 0.47, 6]
    for expected in (16, 26, 36, 46, 50, 50):
        ten.click(force=True)
        assert numbers(page)[3] == expected
    once.click(force=True)
    assert numbers(page)[3] == 50 and page.locator(".lx-lp-dot circle").count() == 0
    assert once.get_attribute("aria-disabled") == "true"
    for slider in page.locator(".lx-slider input").all()[:3]:
        slider.press("ArrowRight")
    measure = page.get_by_label("Measure from the best mean")
    measure.uncheck()
    again = page.get_by_role("button", name="Start over")
    again.click()
    assert numbers(page) == [4, 1, 0.47, 5] and measure.is_checked()
    assert once.get_attribute("aria-disabled") == "false"


@browser_test
def test_keys_and_a_finger_move_the_prior(show):
    page = show(make_posterior(), width=360, has_touch=True).page
    mean, width, noise, seen = page.locator(".lx-slider input").all()
    mean.press("ArrowRight")
    assert numbers(page)[0] == 4.02
    assert mean.get_attribute("aria-valuetext") == "prior mean \u03bc\u2080 4.02"
    for slider, key, expected in (
        (mean, "Home", [1, 1, 0.47, 5]),
        (width, "End", [1, 50, 0.47, 5]),
        (noise, "Home", [1, 50, 0.1, 5]),
        (seen, "ArrowLeft", [1, 50, 0.1, 4]),
    ):
        slider.press(key)
        assert numbers(page) == expected
    assert seen.get_attribute("aria-valuetext") == "4 of 50 seen"
    box = width.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert numbers(page)[1] == pytest.approx((0.05 * 50) ** 0.5, rel=0.05)


@browser_test
def test_a_kernel_hears_of_the_prior_and_the_data(show):
    page = show(make_posterior()).page
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    page.evaluate("m.model.set('relative', false)")
    page.evaluate("m.model.set('tau', 3)")
    measure = page.get_by_label("Measure from the best mean")
    assert not measure.is_checked() and numbers(page)[1] == 3
    measure.check()
    page.locator(".lx-slider input").nth(3).press("End")
    page.locator(".lx-slider input").nth(1).press("Home")
    read = "['mu0', 'tau', 'sigma', 'num_seen', 'relative'].map((n) => m.model.get(n))"
    assert page.evaluate(read) == pytest.approx([4, 0.05, 0.47, 50, True])


@browser_test
def test_two_posteriors_and_a_surface_share_a_page(show):
    alone = show(make_surface()).page
    places = """(root) => [...root.querySelectorAll("*")].map(
      (el) => el.getBoundingClientRect().width)"""
    expected = alone.locator(".ls").evaluate(places)
    visit = show(make_posterior(), make_posterior(), make_surface())
    page = visit.page
    page.evaluate(SCROLL_DOWN)
    page.wait_for_function("document.querySelectorAll('.lx').length === 3")
    page.wait_for_timeout(100)
    assert page.locator(".ls").evaluate(places) == expected
    page.locator(".lp").nth(1).get_by_role("button", name="Add ten").click()
    first, second = (numbers(page.locator(".lp").nth(k)) for k in (0, 1))
    assert first == [4, 1, 0.47, 5] and second == [4, 1, 0.47, 15]
    assert page.locator("[id], input[name]").count() == 0
    assert visit.problems == []


@browser_test
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_posterior_is_accessible_fits_and_stays_in_place(theme, width, show):
    visit = show(make_posterior(num_seen=0), width=width)
    page = visit.page
    page.add_style_tag(content=THEME)
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    page.evaluate(SCROLL_DOWN)
    found = {page.locator(".lp").bounding_box()["height"]}
    for k, key in [(3, "End"), (1, "Home"), (0, "Home"), (2, "Home"), (3, "ArrowLeft")]:
        page.locator(".lx-slider input").nth(k).press(key)
        found.add(page.locator(".lp").bounding_box()["height"])
    assert len(found) == 1
    violations = Axe().run(page).response["violations"]
    assert violations == [], [(v["id"], v["nodes"][0]["html"]) for v in violations]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    mean, value, _ = boxes(page)
    assert (mean["y"] == value["y"]) == (width > 600)
    ink = page.locator(".lx-lp-prior path").evaluate(
        "(el) => getComputedStyle(el).stroke"
    )
    assert ink == ("rgb(29, 39, 51)" if theme == "light" else "rgb(230, 235, 240)")
    assert visit.problems == []


# The race of samplers, and importance sampling by hand

PROPOSALS = {"wide": (1, 1), "narrow": (1, 0.3), "the prior": (0, 1)}


def log_weights(latent_dim=1, num_draws=10_000, num_runs=5):
    """Of draws of each proposal, for x = 2 = z + noise in each of L coordinates."""
    eye, zero = torch.eye(latent_dim).double(), torch.zeros(latent_dim).double()
    model = LinearGaussian(standard_gaussian(latent_dim), eye, zero, zero + 1)
    rng = torch.Generator().manual_seed(0)
    found = {}
    for name, (mean, sd) in PROPOSALS.items():
        z = mean + sd * torch.randn(
            num_draws, num_runs, latent_dim, generator=rng, dtype=torch.float64
        )
        log_q = Normal(mean, sd).log_prob(z).sum(-1)
        found[name] = model.log_joint(zero[None] + 2, z) - log_q
    return found


def make_race(latent_dim=1, **options):
    truth = latent_dim * stats.norm.logpdf(2, scale=2**0.5)
    return SamplerRace(log_weights(latent_dim), truth, **options)


def make_proposal(*start, seed=0, **options):
    return ProposalExplorer(*start, rng=torch.Generator().manual_seed(seed), **options)


def by_hand(log_w):
    """Estimate, standard error by the delta method and ESS of weights (S,)."""
    w = np.exp(log_w.numpy())
    error = w.std(ddof=1) / np.sqrt(len(w)) / w.mean()
    return np.log(w.mean()), error, w.sum() ** 2 / (w**2).sum()


def every_start(log_w, sizes):
    """The same of the first s draws: (samplers, runs, sizes, 3)."""
    return np.array(
        [
            [[by_hand(one[:s, r]) for s in sizes] for r in range(one.shape[1])]
            for one in log_w.values()
        ]
    )


def test_the_race_has_the_estimates_of_every_first_draws():
    race = make_race()
    sizes = np.array(race.sizes)
    np.testing.assert_allclose(np.log10(sizes), np.linspace(1, 4, 31), atol=0.02)
    assert {10, 100, 1000, 10_000} < {*race.sizes}
    expected = every_start(log_weights(), sizes)
    found = [torch.stack(path, -1).transpose(0, 1) for path in race.paths.values()]
    np.testing.assert_allclose(np.stack(found), expected, rtol=1e-9)
    race.num_samples, race.run = race.sizes[17], 3
    rows = [torch.stack(row) for row in race.estimates().values()]
    np.testing.assert_allclose(np.stack(rows), expected[:, 3, 17], rtol=1e-9)
    assert race.truth == pytest.approx(-2.2655121235, abs=1e-10)


def test_the_band_of_a_good_proposal_holds_the_truth_and_of_a_narrow_one_does_not():
    race = make_race(8)
    inside = {
        name: ((path.value - race.truth).abs() <= 2 * path.standard_error).numpy()
        for name, path in race.paths.items()
    }
    assert inside["wide"].mean() > 0.85 > 0.6 > inside["narrow"].mean()
    errors = race.paths["wide"].standard_error
    np.testing.assert_allclose(errors[-1] / errors[10], 0.1, rtol=0.25)


def test_the_race_reads_sets_and_is_observed():
    race, seen = make_race(num_samples=1000), []
    assert (race.num_samples, race.run, race.shown) == (1000, 0, list(PROPOSALS))
    assert make_race().num_samples == race.sizes[15]
    race.observe(lambda change: seen.append(change["new"]), ["num_samples", "run"])
    race.observe(lambda change: seen.append(change["new"]), "shown")
    race.num_samples, race.run, race.shown = 10, 4, ["narrow"]
    assert seen == [10, 4, ["narrow"]]


@pytest.mark.parametrize(
    ("log_w", "message"),
    [
        ({}, r"log_w must hold 1 to 4 samplers .* received \{\}"),
        (
            {"a": torch.zeros(99, 3)},
            r"100 <= S <= 1,000,000 .* received \{'a': \(99, 3\)\}",
        ),
        ({"a": torch.zeros(200)}, r"\(200,\)"),
        ({"a": torch.zeros(200, 9)}, "R <= 8"),
        ({"a": torch.zeros(200, 2), "b": torch.zeros(300, 2)}, "of one shape"),
        ({k: torch.zeros(200, 2) for k in "abcde"}, "1 to 4 samplers"),
        ({"a": torch.full((200, 2), -torch.inf)}, "finite; received -inf in a"),
    ],
)
def test_weights_that_cannot_race_are_refused(log_w, message):
    with pytest.raises(ValueError, match=message):
        SamplerRace(log_w, -1.0)


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("num_samples", 11, "sizes, 10 to 10000; received 11, nearest 10"),
        ("run", 5, "run must be 0 to 4; received 5"),
        ("run", -1, "received -1"),
        ("shown", ["wide", "b"], "among wide, narrow, the prior; received b"),
    ],
)
def test_the_race_refuses_traits(trait, value, message):
    with pytest.raises(ValueError, match=message):
        setattr(make_race(), trait, value)


def test_a_race_to_no_finite_truth_is_refused():
    with pytest.raises(ValueError, match="truth must be finite; received nan"):
        SamplerRace(log_weights(), float("nan"))


def test_the_still_shows_the_race():
    race = make_race(num_samples=1000)
    pictures = {race.snapshot()}
    said = "run 1 of 5, with bands of two standard errors up to 1,000 draws"
    assert said in race.describe() and "narrow -2." in race.describe()
    for trait, value in {"run": 1, "num_samples": 10_000, "shown": ["wide"]}.items():
        setattr(race, trait, value)
        pictures.add(race.snapshot())
    assert "narrow" not in race.describe()
    race.shown = []
    assert "no sampler shown" in race.describe()
    assert len(pictures) == 4 and max(map(len, pictures)) <= 20_000
    assert Image.open(io.BytesIO(race.snapshot())).size == (1280, 600)


def test_the_figures_of_sampling_are_light():
    log_w = {f"sampler {k}": torch.randn(10_000, 8) for k in range(4)}
    assert len(embedded(SamplerRace(log_w, 0.5))) < 45_000
    assert len(embedded(make_proposal())) < 45_000


@pytest.mark.parametrize("latent_dim", [1, 8])
def test_the_picture_of_a_race_holds_the_truth_and_where_the_samplers_end(latent_dim):
    race = make_race(latent_dim)
    low, high = race.frame
    values = torch.stack([path.value for path in race.paths.values()])
    last = values[:, -1]
    assert low < race.truth < high and low < last.min() and last.max() < high
    assert 0.85 < ((low < values) & (values < high)).double().mean() < 0.99
    far = {"good": torch.randn(200, 2), "far": 100 * torch.rand(200, 2) - 100}
    far["far"][150:] = -1.0
    low, high = SamplerRace(far, 0.5).frame
    assert -5 < low < -1 and 0.5 < high < 3


@browser_test
def test_estimates_of_the_page_equal_python(show):
    race = make_race()
    visit = show(race)
    visit.page.evaluate(STAND_IN)
    page = visit.page.evaluate(
        """() => m.module.readRows(m.model).map((runs) => runs.map((rows) => rows.map(
          ({ size, value, error, se, ess }) => [value, se, ess, error, size])))"""
    )
    expected, page = every_start(log_weights(), race.sizes), np.array(page)
    np.testing.assert_allclose(page[..., :2], expected[..., :2], rtol=0, atol=1e-6)
    np.testing.assert_allclose(page[..., 2], expected[..., 2], rtol=1e-5)
    np.testing.assert_allclose(page[..., 3], expected[..., 0] - race.truth, atol=1e-6)
    np.testing.assert_array_equal(page[..., 4], np.broadcast_to(race.sizes, (3, 5, 31)))
    assert visit.problems == []


COUNT_SAVES = """() => {
  m.saves = 0;
  m.model.save_changes = () => (m.saves += 1);
}"""


def race_table(page):
    """Estimate, standard error, error in standard errors and ESS of each sampler."""
    cells = page.locator(".lr tbody tr:not(.lr-exact) td").all_text_contents()
    texts = " ".join(cells).replace("\u2212", "-").replace(",", "")
    return np.array(re.findall(r"[-+]?[\d.]+", texts), dtype=float).reshape(-1, 4)


def check_table(page, run, size):
    expected = [by_hand(one[:size, run]) for one in log_weights().values()]
    truth = stats.norm.logpdf(2, scale=2**0.5)
    rows = [[v, se, (v - truth) / se, ess] for v, se, ess in expected]
    assert np.all(np.abs(race_table(page) - rows) <= [6e-5, 6e-5, 0.051, 0.51])
    spoken = page.get_by_role("slider").get_attribute("aria-valuetext")
    assert spoken == f"Draws {size:,}"
    assert page.locator(".lx-slider .lx-number").text_content() == f"{size:,}"
    assert page.locator(".lr-run span").text_content() == f"Run {run + 1} of 5"


@browser_test
def test_the_table_follows_the_slider_and_the_run(show):
    race = make_race(num_samples=1000)
    page = show(race).page
    slider, again = page.get_by_role("slider"), page.get_by_role("button")
    check_table(page, 0, 1000)
    slider.press("End")
    check_table(page, 0, 10_000)
    again.click()
    check_table(page, 1, 10_000)
    slider.press("ArrowLeft")
    check_table(page, 1, race.sizes[-2])
    for _ in range(4):
        again.press("Enter")
    slider.press("Home")
    check_table(page, 0, 10)
    exact = page.locator(".lr-exact td").first.text_content()
    assert exact == "\u22122.2655"
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    page.evaluate("m.model.set('num_samples', 1000)")
    page.evaluate("m.model.set('run', 2)")
    check_table(page, 2, 1000)
    page.evaluate(COUNT_SAVES)
    again.click()
    slider.press("End")
    page.get_by_role("checkbox", name="narrow").uncheck()
    names = ("run", "num_samples", "shown")
    assert [page.evaluate(f"m.model.get('{name}')") for name in names] == [
        *(3, 10_000),
        ["wide", "the prior"],
    ]
    assert page.evaluate("m.saves") == 3


@browser_test
def test_lines_and_bands_are_drawn_to_scale(show):
    race = make_race(8, num_samples=1000)
    race.run = 2
    page = show(race).page
    settled(page)
    (low, high), sizes = race.frame, np.array(race.sizes)
    place, now = in_frame(sizes), race.sizes.index(1000) + 1
    for k, path in enumerate(race.paths.values()):
        value, error = (column[:, 2].numpy() for column in path[:2])
        line = drawn(page, f".lx-race-lines .lr-{k}:not(.rest)")
        rest = drawn(page, f".lx-race-lines .rest.lr-{k}")
        band = drawn(page, f".lx-race-bands .lr-{k}")
        up = (value - low) / (high - low), 2 * error / (high - low)
        np.testing.assert_allclose(line.T, [place[:now], up[0][:now]], atol=1e-3)
        np.testing.assert_allclose(
            rest.T, [place[now - 1 :], up[0][now - 1 :]], atol=1e-3
        )
        sides = np.concatenate([(up[0] + up[1])[:now], (up[0] - up[1])[:now][::-1]])
        np.testing.assert_allclose(band[:, 1], sides, atol=1e-3)
        np.testing.assert_allclose(band[:now, 0], place[:now], atol=1e-3)
        out = ((up[0] < 0) | (up[0] > 1))[:now].sum()
        assert page.locator(f".lx-race-ends path.lr-{k}").count() == out
    exact = drawn(page, ".lx-race-exact path")
    expected = (race.truth - low) / (high - low)
    np.testing.assert_allclose(exact, [[0, expected], [1, expected]], atol=1e-3)
    assert page.locator(".lx-race-ends path").count() > 0
    assert page.locator(".lx-race-ends circle").count() == 3


def in_frame(sizes):
    """Places on the axis of 10 to 10,000 draws, which has room for a mark at an end."""
    room = np.log(1.15)
    return (np.log(sizes / 10) + room) / (np.log(1000) + 2 * room)


@browser_test
@pytest.mark.parametrize("width", [360, 1280])
def test_marks_at_the_ends_are_whole_and_one_estimate_has_a_bar(width, show):
    race = make_race()
    page = show(race, width=width).page
    settled(page)
    (low, high), slider = race.frame, page.get_by_role("slider")
    frame = page.locator(".lx-plot svg svg").evaluate(INNER_SIZE)[0]
    read = (
        "all => all.map((one) => { const b = one.getBBox(); return [b.x, b.width]; })"
    )
    for key in ("Home", "End"):
        slider.press(key)
        for left, across in page.locator(".lx-race-ends > *").evaluate_all(read):
            assert left >= 0 and left + across <= frame
        if key == "End":
            continue
        for k, path in enumerate(race.paths.values()):
            value, error = (column[0, 0].item() for column in path[:2])
            bar = drawn(page, f".lx-race-bands .lr-{k}")
            sides = (value + 2 * error * np.array([1, 1, -1, -1]) - low) / (high - low)
            np.testing.assert_allclose(bar[:, 1], sides, atol=1e-3)
            assert bar[:2, 0].mean() == pytest.approx(in_frame(10), abs=1e-3)
            assert 2 < frame * np.ptp(bar[:, 0]) < 14


def settled(page):
    """Wait until the plots have their final size."""
    page.wait_for_function(
        "document.querySelector('.lx-plot svg').viewBox.baseVal.width !== 360"
    )


@browser_test
def test_a_sampler_can_be_hidden(show):
    page = show(make_race()).page
    box = page.get_by_role("checkbox", name="the prior")
    assert box.is_checked() and page.locator(".lx-race-bands path").count() == 3
    box.press("Space")
    kinds = "all => all.map((one) => one.getAttribute('class'))"
    assert page.locator(".lx-race-bands path").evaluate_all(kinds) == ["lr-0", "lr-1"]
    assert page.locator(".lx-race-ends circle").count() == 2
    page.locator(".lr tr.lr-0 label").click()
    assert page.locator(".lx-race-bands path").evaluate_all(kinds) == ["lr-1"]
    box.press("Space")
    assert page.locator(".lx-race-bands path").evaluate_all(kinds) == ["lr-1", "lr-2"]


@browser_test
def test_a_sampler_without_error_says_so(show):
    race = SamplerRace({"exact": torch.full((200, 2), -1.25)}, -1.25)
    page = show(race).page
    cells = page.locator(".lr tbody tr").first.locator("td").all_text_contents()
    assert cells == ["\u22121.2500 \u00b1 0.0000", "\u2013", str(race.num_samples)]


# (mean, sd, target_sd) of importance sampling
SETTING = [
    (0, 1.5, 1),
    (0, 0.75, 1),
    (2.5, 1, 1),
    (-4, 5, 1),
    (1, 2, 2),
    (-0.3, 0.5, 0.3),
]


@pytest.mark.parametrize("setting", SETTING)
def test_the_limit_of_the_effective_sample_size_equals_quadrature(setting):
    mean, sd, tau = setting
    p, q = stats.norm(0, tau), stats.norm(mean, sd)
    square = integrate.quad(
        lambda z: np.exp(2 * p.logpdf(z) - q.logpdf(z)), -60 * tau, 60 * tau, limit=500
    )[0]
    explorer = make_proposal(mean, sd, target_sd=tau)
    assert explorer.ess_limit() == pytest.approx(1 / square, rel=1e-6)
    assert explorer.ess_limit(sd) == explorer.ess_limit()
    assert explorer.ess_limit(tau / 2**0.5 - 1e-9) == 0


def test_the_limit_is_that_of_the_book_for_a_centred_proposal():
    for sd in (0.8, 1, 3):
        expected = (2 * sd**2 - 1) ** 0.5 / sd**2
        assert make_proposal(0, sd).ess_limit() == pytest.approx(expected)


def test_draws_and_weights_equal_scipy():
    explorer = make_proposal(1.25, 0.6, target_sd=1.5, num_samples=40)
    noise = torch.randn(2000, generator=torch.Generator().manual_seed(0)).double()
    z = 1.25 + 0.6 * noise[:40].numpy()
    np.testing.assert_allclose(explorer.draws(), z, rtol=1e-12)
    log_p = stats.norm.logpdf(z, 0, 1.5)
    expected = log_p - stats.norm.logpdf(z, 1.25, 0.6)
    np.testing.assert_allclose(explorer.log_w(), expected, rtol=1e-10)
    wide = 1.25 + 3 * noise[:40].numpy()
    w = stats.norm.pdf(wide, 0, 1.5) / stats.norm.pdf(wide, 1.25, 3)
    expected = w.sum() ** 2 / (w**2).sum() / 40
    assert explorer.ess_share(3) == pytest.approx(expected)
    shipped = np.frombuffer(explorer.eps, "<f4")
    np.testing.assert_array_equal(shipped, noise)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mean": 4.1}, "mean must be -4 to 4; received 4.1"),
        ({"mean": float("nan")}, "received nan"),
        ({"sd": 0.09}, "sd must be 0.1 to 5; received 0.09"),
        ({"sd": 5.1}, "received 5.1"),
        ({"num_samples": 9}, "num_samples must be 10 to 2000; received 9"),
        ({"num_samples": 2001}, "received 2001"),
        ({"target_sd": 0.0}, "target_sd must be above 0 and finite; received 0"),
        ({"target_sd": 2, "mean": -8.1}, "mean must be -8 to 8; received -8.1"),
    ],
)
def test_the_proposal_refuses_what_it_cannot_be(given, message):
    with pytest.raises(ValueError, match=message):
        make_proposal(**given)


def test_the_proposal_reads_sets_and_is_observed():
    explorer, seen = make_proposal(), []
    assert (explorer.mean, explorer.sd, explorer.num_samples) == (0, 1.5, 500)
    explorer.observe(lambda c: seen.append(c["new"]), ["mean", "sd", "num_samples"])
    explorer.mean, explorer.sd, explorer.num_samples = -1.5, 0.3, 77
    assert seen == [-1.5, 0.3, 77]
    with pytest.raises(ValueError, match="sd must be"):
        explorer.sd = 0


def test_the_still_shows_the_proposal():
    explorer = make_proposal(0, 0.4)
    pictures = {explorer.snapshot()}
    share = 100 * (w := explorer.log_w().exp()).max() / w.sum()
    assert "N(0.00, 0.40²); below, 500 draws" in explorer.describe()
    assert f"the largest {share:.1f}% of the total" in explorer.describe()
    for trait, value in {"mean": 1.0, "sd": 2.0, "num_samples": 2000}.items():
        setattr(explorer, trait, value)
        pictures.add(explorer.snapshot())
    assert len(pictures) == 4 and max(map(len, pictures)) <= 20_000
    assert Image.open(io.BytesIO(explorer.snapshot())).size == (1280, 600)


SUMMARIES = """(settings) => settings.map(([mean, sd, count]) => {
  const q = { mean, sd, target: m.model.get("target_sd") };
  const eps = m.module.readNoise(m.model).slice(0, count);
  const { z, ess, largest, square, tail } = m.module.summarise(eps, q);
  const last = m.module.logWeights(eps, q).at(-1);
  const { value, se } = square;
  return [z.at(-1), last, ess, largest, value, se, tail, m.module.limit(q)];
})"""


@browser_test
@pytest.mark.parametrize("target_sd", [1, 0.7])
def test_what_the_draws_are_worth_in_the_page_equals_python(target_sd, show):
    explorer = make_proposal(0, 1, target_sd=target_sd)
    visit = show(explorer)
    visit.page.evaluate(STAND_IN)
    noise = np.random.default_rng(4)
    settings = [
        [target_sd * noise.uniform(-4, 4), target_sd * np.exp(log_sd), int(count)]
        for log_sd, count in zip(
            noise.uniform(np.log(0.1), np.log(5), 100),
            [10, 24, 25, 2000, *np.exp(noise.uniform(np.log(10), np.log(2000), 96))],
            strict=True,
        )
    ]
    page = visit.page.evaluate(SUMMARIES, settings)
    for setting, found in zip(settings, page, strict=True):
        explorer.mean, explorer.sd, explorer.num_samples = setting
        z, log_w = explorer.draws(), explorer.log_w()
        square = self_normalized_estimate(z**2, log_w)
        few = setting[-1] < 25
        expected = [
            *(z[-1], log_w[-1], effective_sample_size(log_w)),
            *(torch.softmax(log_w, 0).max(), square.mean, square.standard_error),
            *(None if few else tail_index(log_w), explorer.ess_limit()),
        ]
        if few:
            assert found.pop(6) is expected.pop(6) is None
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    assert visit.problems == []


def proposal_readings(page):
    return page.locator(".lw .lx-reading dd").all_text_contents()


def expected_worth(explorer):
    z, log_w = explorer.draws(), explorer.log_w()
    square = self_normalized_estimate(z**2, log_w)
    tail = tail_index(log_w).item() if len(z) >= 25 else None
    return [
        f"{effective_sample_size(log_w):,.1f} of {len(z):,}",
        f"{100 * torch.softmax(log_w, 0).max():.1f}%",
        str(square),
        "\u2013"
        if tail is None
        else f"{tail:.2f}{', variance infinite' if tail > 0.5 else ''}",
    ]


@browser_test
def test_sliders_move_the_proposal_and_words_follow(show):
    explorer = make_proposal(0, 0.7)
    page = show(explorer).page
    status, remark = (
        page.locator(".lw-status"),
        "The weights have infinite variance here",
    )
    width, offset, draws = page.get_by_role("slider").all()
    assert numbers(page, ".lx-slider:nth-child(-n + 2) .lx-number") == [0.7, 0]
    assert proposal_readings(page) == expected_worth(explorer)
    assert status.text_content() == f"{remark}, and these draws do not show it."
    width.press("Home")
    explorer.sd = 0.1
    assert proposal_readings(page) == expected_worth(explorer)
    assert status.text_content() == f"{remark}: trust no \u00b1."
    assert width.get_attribute("aria-valuetext") == "width \u03c3 0.10"
    draws.press("Home")
    explorer.num_samples = 10
    assert proposal_readings(page) == expected_worth(explorer)
    assert proposal_readings(page)[-1] == "\u2013"
    assert status.text_content() == f"{remark}; the tail index needs 25 draws."
    width.press("End")
    explorer.sd = 5.0
    assert proposal_readings(page) == expected_worth(explorer)
    assert status.text_content() == "The tail index needs 25 draws."
    draws.press("End")
    offset.press("End")
    explorer.num_samples, explorer.mean = 2000, 4.0
    assert proposal_readings(page) == expected_worth(explorer)
    assert status.text_content() == ""
    assert draws.get_attribute("aria-valuetext") == "draws 2,000"
    assert offset.get_attribute("aria-valuetext") == "offset m 4.00"
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    explorer.mean, explorer.sd, explorer.num_samples = -3.5, 0.9, 77
    for name in ("mean", "sd", "num_samples"):
        value = getattr(explorer, name)
        page.evaluate("([name, value]) => m.model.set(name, value)", [name, value])
    assert proposal_readings(page) == expected_worth(explorer)
    assert status.text_content().startswith("The variance is finite, but larger")
    assert page.locator(".lx-number").nth(2).text_content() == "77"
    page.evaluate(COUNT_SAVES)
    for slider in (width, offset, draws):
        slider.press("Home")
    assert page.evaluate("m.saves") == 3
    found = [
        page.evaluate(f"m.model.get('{n}')") for n in ("sd", "mean", "num_samples")
    ]
    assert found == pytest.approx([0.1, -4, 10])
    explorer.mean, explorer.sd, explorer.num_samples = 0.0, 1.05, 2000
    for name in ("mean", "sd", "num_samples"):
        value = getattr(explorer, name)
        page.evaluate("([name, value]) => m.model.set(name, value)", [name, value])
    assert proposal_readings(page) == expected_worth(explorer)
    assert re.match(r"1,9\d\d\.\d of 2,000$", proposal_readings(page)[0])


@browser_test
def test_densities_stems_and_worth_are_drawn_to_scale(show):
    explorer = make_proposal(1.0, 0.8, target_sd=1.5, num_samples=200)
    page = show(explorer).page
    settled(page)
    for name, (mean, sd) in {"p": (0, 1.5), "q": (1, 0.8)}.items():
        x, up = drawn(page, f".lx-prop-{name} path").T
        peak = 1.12 * stats.norm.pdf(0, scale=0.8)
        density = stats.norm.pdf(18 * x - 9, mean, sd) / peak
        np.testing.assert_allclose(up, density, atol=0.002)
    share = torch.softmax(explorer.log_w(), 0).numpy()
    x, up = stems(page, ".lx-prop-stems path").T
    np.testing.assert_allclose(18 * x - 9, explorer.draws(), atol=0.005)
    np.testing.assert_allclose(up, share / (1.08 * share.max()), atol=0.002)
    np.testing.assert_allclose(stems(page, ".lx-prop-rug path", "v")[:, 0], x)
    ticks = page.locator(".lx-plot").nth(1).locator("[text-anchor=end]")
    top = max(map(float, ticks.all_text_contents()))
    assert 100 * share.max() / 2 < top < 108 * share.max()
    (x, up), edge = drawn(page, ".lx-prop-curve path").T, np.log(5.5 / 0.09)
    widths = 0.135 * np.exp(edge * x)
    expected = [explorer.ess_share(sd) for sd in widths]
    np.testing.assert_allclose(1.08 * up - 0.04, expected, atol=0.003)
    limits = 1.08 * drawn(page, ".lx-prop-limit path")[:, 1] - 0.04
    expected = [explorer.ess_limit(sd) for sd in widths]
    np.testing.assert_allclose(limits, expected, atol=0.003)
    shade = drawn(page, ".lx-prop-infinite path")
    assert shade[2, 0] == pytest.approx(np.log(1.5 * 0.5**0.5 / 0.135) / edge, abs=1e-3)
    np.testing.assert_allclose(shade[:, 1], [0, 1, 1, 0], atol=1e-3)
    x, up = page.locator(".lx-prop-now circle").evaluate("""(el) => {
      const { width, height } = el.ownerSVGElement;
      return [el.cx.baseVal.value / width.baseVal.value,
        1 - el.cy.baseVal.value / height.baseVal.value];
    }""")
    assert x == pytest.approx(np.log(0.8 / 0.135) / edge, abs=1e-3)
    assert 1.08 * up - 0.04 == pytest.approx(explorer.ess_share(), abs=1e-3)


def stems(page, selector, letter="V"):
    """Foot and height of upright strokes, as fractions of the axes: (N, 2)."""
    path = page.locator(selector)
    found = re.findall(rf"M([-\d.]+) [-\d.]+{letter}([-\d.]+)", path.get_attribute("d"))
    return of_axes(path, found)


@browser_test
def test_two_races_and_two_proposals_share_a_page(show):
    visit = show(make_race(), make_race(), make_proposal(), make_proposal(1, 2))
    page = visit.page
    page.evaluate(SCROLL_DOWN)
    page.wait_for_function("document.querySelectorAll('.lx').length === 4")
    page.locator(".lr").nth(1).get_by_role("button").click()
    page.locator(".lr").nth(1).get_by_role("checkbox").first.uncheck()
    assert page.locator(".lr-run span").all_text_contents() == [
        f"Run {k} of 5" for k in (1, 2)
    ]
    assert page.locator(".lr").first.locator(".lx-race-bands path").count() == 3
    page.locator(".lw").first.get_by_role("slider").first.press("Home")
    widths = numbers(page, ".lw .lx-slider:first-child .lx-number")
    assert widths == [0.1, 2]
    assert page.locator("[id], input[name]").count() == 0
    assert visit.problems == []


@browser_test
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_race_and_proposal_are_accessible_and_fit(theme, width, show):
    visit = show(make_race(8), make_proposal(0, 0.5), width=width)
    page = visit.page
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    page.evaluate(SCROLL_DOWN)
    page.wait_for_selector(".lw")
    found = Axe().run(page).response["violations"]
    assert found == [], [(v["id"], v["nodes"][0]["html"]) for v in found]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for table in page.locator(".lr table, .lr td").all():
        assert table.evaluate("(el) => el.scrollWidth <= el.clientWidth")
    _, density, _, worth = boxes(page)
    assert (density["y"] == worth["y"]) == (width > 600)
    ink = page.locator(".lx-prop-p path, .lx-race-exact path").first
    expected = "rgb(29, 39, 51)" if theme == "light" else "rgb(230, 235, 240)"
    assert ink.evaluate("(el) => getComputedStyle(el).stroke") == expected
    heights = set()
    for slider in page.get_by_role("slider").all():
        for key in ("Home", "End"):
            slider.press(key)
            heights.add(page.locator("main").bounding_box()["height"])
    assert len(heights) == 1
    assert visit.problems == []


SLID = """async () => {
  const [width] = document.querySelectorAll(".lw input");
  for (let k = 1; k <= 60; k++) {
    await new Promise(requestAnimationFrame);
    width.value = 1.5 * Math.sin(k / 9);
    width.dispatchEvent(new Event("input"));
  }
}"""


@browser_test
def test_a_slide_over_all_draws_is_painted_within_a_frame(show):
    page = show(make_proposal(num_samples=2000)).page
    each = work_per_move(page, SLID)
    print(f"two thousand draws weighed and drawn: {each:.1f} ms of processor time")
    assert each <= 16


# The ELBO ellipse

ELLIPSES = [  # (mean, standard deviations along the axes, angle of the first)
    ([0.3, 1.0], [0.7, 0.35], 15.0),
    ([-1.4, -0.6], [0.15, 1.7], 130.0),
    ([0.9, 0.9], [1.0, 0.23], -45.0),
]
each_target = pytest.mark.parametrize("target", ["gaussian", "banana"])


def random_ellipses(count=60):
    noise = np.random.default_rng(11)
    mu = noise.uniform(-2.5, 2.5, (count, 2))
    lengths = np.exp(noise.uniform(np.log(0.15), np.log(1.8), (count, 2)))
    angles = noise.uniform(-180, 180, count)
    return list(zip(mu.tolist(), lengths.tolist(), angles.tolist(), strict=True))


def lay(explorer, mu, lengths, angle):
    explorer.mu, explorer.lengths, explorer.angle = mu, lengths, angle
    return explorer


def scipy_q(mu, lengths, angle):
    turn = np.radians(angle)
    first = np.array([np.cos(turn), np.sin(turn)])
    second = np.array([-np.sin(turn), np.cos(turn)])
    cov = lengths[0] ** 2 * np.outer(first, first)
    cov += lengths[1] ** 2 * np.outer(second, second)
    return stats.multivariate_normal(mu, cov)


def scipy_joint(target, z):
    curve = (
        z[..., 0] + z[..., 1] if target == "gaussian" else z[..., 1] + z[..., 0] ** 2
    )
    x, sigma = (1.9, 1 / 3) if target == "gaussian" else (2, 0.5)
    return stats.norm.logpdf(z).sum(-1) + stats.norm.logpdf(x, curve, sigma)


def dense(target, half=6.5, count=241):
    """Points of a fine grid, what one is worth, and the log-posterior there."""
    axis = np.linspace(-half, half, count)
    z = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    cell, joint = (axis[1] - axis[0]) ** 2, scipy_joint(target, z)
    return z, cell, joint - np.log(np.exp(joint).sum() * cell)


def grid_forward_kl(target, ellipses):
    z, cell, log_p = dense(target)
    p = np.exp(log_p) * cell
    return [p @ (log_p - scipy_q(*one).logpdf(z)) for one in ellipses]


def grid_reverse_kl(target, ellipses):
    z, _, log_p = dense(target)
    log_p_x = scipy_joint(target, z[0]) - log_p[0]
    axis = np.linspace(-8, 8, 81)
    eps = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    weights = stats.norm.pdf(eps).prod(1) * 0.2**2

    def kl(q):
        z = q.mean + eps @ np.linalg.cholesky(q.cov).T
        return weights @ (q.logpdf(z) + log_p_x - scipy_joint(target, z))

    return [kl(scipy_q(*one)) for one in ellipses]


@pytest.mark.usefixtures("one_thread")
@each_target
def test_the_worth_of_a_q_equals_dense_sums(target):
    explorer = make_ellipse(target)
    expected = {"gaussian": stats.norm.logpdf(1.9, 0, np.sqrt(2 + 1 / 9))}
    z1 = np.linspace(-9, 9, 20_001)
    log_p_x = stats.norm.logpdf(2, z1**2, np.sqrt(1.25)) + stats.norm.logpdf(z1)
    expected["banana"] = np.log(np.exp(log_p_x).sum() * (z1[1] - z1[0]))
    assert explorer.log_evidence() == pytest.approx(expected[target], abs=1e-9)
    reverse, forward = (f(target, ELLIPSES) for f in (grid_reverse_kl, grid_forward_kl))
    for one, kl, other in zip(ELLIPSES, reverse, forward, strict=True):
        lay(explorer, *one)
        assert explorer.kl() == pytest.approx(kl, abs=1e-7)
        assert explorer.forward_kl() == pytest.approx(other, abs=1e-7)
        assert sum([explorer.elbo(), explorer.kl()]) == pytest.approx(
            explorer.log_evidence(), abs=1e-12
        )


def test_the_gaussian_target_has_the_divergences_of_the_book():
    explorer = lay(make_ellipse("gaussian"), *ELLIPSES[0])
    posterior, q = explorer.posterior.moments, explorer.q
    torch.testing.assert_close(posterior.mu, torch.full((2,), 0.9).double())
    a, b = posterior.cov[0].tolist()
    assert b / a == pytest.approx(-0.9)
    kl = full_gaussian_kl(q, posterior).item()
    assert explorer.kl() == pytest.approx(kl, abs=1e-10)
    forward = full_gaussian_kl(posterior, q).item()
    assert explorer.forward_kl() == pytest.approx(forward, abs=1e-10)
    np.testing.assert_allclose(q.cov, scipy_q(*ELLIPSES[0]).cov, rtol=1e-12)


# gap of the best q: forward or reverse, all or diagonal
BEST = {
    ("gaussian", "reverse"): (0, -0.5 * np.log(1 - 0.81)),
    ("gaussian", "forward"): (0, 0.5 * np.log(1 / (1 - 0.81))),
    ("banana", "reverse"): (0.80615, 0.95311),
    ("banana", "forward"): (0.84649, 0.84649),
}


@pytest.mark.parametrize(("target", "direction"), BEST)
def test_the_best_q_that_is_shipped_is_the_best(target, direction):
    explorer, noise = make_ellipse(target), np.random.default_rng(2)
    measure = explorer.kl if direction == "reverse" else explorer.forward_kl
    for kind, least in zip(("", " diagonal"), BEST[target, direction], strict=True):
        fits = explorer.targets[target]["best"][direction + kind]
        assert len(fits) == (2 if (target, direction, kind) == MIRRORED else 1)
        for mu, lengths, angle in fits:
            assert angle == 0 or not kind
            lay(explorer, mu, lengths, angle)
            assert measure() == pytest.approx(least, abs=1e-5)
            for _ in range(20):
                shift = 0.05 * noise.normal(size=5)
                stretched = (lengths * np.exp(shift[2:4])).tolist()
                turn = 0 if kind else 20 * shift[4]
                lay(explorer, (mu + shift[:2]).tolist(), stretched, angle + turn)
                assert measure() > least - 1e-5


MIRRORED = ("banana", "reverse", "")


def test_the_two_best_of_the_banana_are_mirror_images():
    right, left = make_ellipse().targets["banana"]["best"]["reverse"]
    assert right[0] == pytest.approx([0.88274, 0.81774], abs=1e-5)
    assert left[0] == pytest.approx([-0.88274, 0.81774], abs=1e-5)
    assert left[1] == pytest.approx(right[1]) and left[2] == pytest.approx(-right[2])
    cov = scipy_q(*right).cov
    np.testing.assert_allclose(cov, [[0.1986, -0.2805], [-0.2805, 0.5962]], atol=1e-4)


def test_another_banana_is_shown_as_well():
    explorer = make_ellipse(banana=Banana(1.5, -0.8, 0.7), seen=(-1, 0.5))
    q = explorer.targets["banana"]["best"]["reverse"][0]
    assert 0 < lay(explorer, *q).kl() < 1
    assert explorer.targets["gaussian"]["mean"] == pytest.approx([-4 / 9] * 2)


def test_q_is_read_set_and_observed():
    explorer, seen = make_ellipse("gaussian"), []
    names = ["target", "direction", "mu", "lengths", "angle"]
    explorer.observe(lambda change: seen.append(change["name"]), names)
    explorer.target, explorer.direction = "banana", "forward"
    lay(explorer, [1, -1], [2, 0.5], 90)
    assert seen == names
    np.testing.assert_allclose(explorer.q.cov, [[0.25, 0], [0, 4]], atol=1e-12)
    assert explorer.start == [[0.3, 1.0], [0.7, 0.35], 15.0]


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("target", "apple", "target must be gaussian or banana; received apple"),
        ("direction", "up", "direction must be reverse or forward; received up"),
        ("mu", [1.0], r"mu must be two numbers, finite; received \[1.0\]"),
        ("mu", [1.0, float("inf")], "finite; received"),
        ("lengths", [1.0, 0.0], r"positive and finite; received \[1.0, 0.0\]"),
        ("lengths", [float("inf"), 1.0], "lengths must be two numbers, positive"),
        ("angle", float("nan"), "angle must be finite; received nan"),
    ],
)
def test_the_ellipse_refuses_traits(trait, value, message):
    with pytest.raises(ValueError, match=message):
        setattr(make_ellipse(), trait, value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seen": (9, 1)}, "x of seen must be -5 to 5 .* received 9 and 1"),
        ({"seen": (1, 0)}, "sigma 0.2 to 5; received 1 and 0"),
        ({"banana": Banana(sigma=0.01)}, "x of banana .* received 2.0 and 0.01"),
        ({"banana": Banana(curvature=3)}, "banana.curvature must be -2 to 2; .* 3"),
        ({"start": ((0, 0), (0, 1), 0)}, r"lengths .* received \[0.0, 1.0\]"),
    ],
)
def test_a_posterior_that_cannot_be_shown_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make_ellipse(**options)


def test_the_still_shows_q_and_the_bar():
    explorer = make_ellipse("gaussian")
    picture, words = explorer.snapshot(), explorer.describe()
    assert len(picture) <= 20_000
    assert Image.open(io.BytesIO(picture)).size == (1280, 600)
    assert "(correlated Gaussian)" in words and "mean (0.30, 1.00)" in words
    whole, kl = explorer.log_evidence(), explorer.kl()
    assert f"log p(x), \u2212{-whole:.3f} nats" in words and f"{kl:.3f} nats" in words
    found = [float(n) for n in re.findall(r"\u2212?(\d+\.\d{3}) nats", words)]
    assert found[0] == pytest.approx(found[2] + found[1])
    explorer.mu = [-3, -3]
    assert explorer.snapshot() != picture
    assert "(banana)" in make_ellipse().describe()


def test_the_ellipse_is_light():
    assert len(embedded(make_ellipse())) < 45_000


PAGE_TERMS = """(ellipses) => {
  const target = m.model.get("targets")[m.model.get("target")];
  const one = ([mu, lengths, angle]) => ({ mu, lengths, angle });
  return ellipses.map((e) => ({
    ...m.module.terms(target, one(e)), cov: m.module.covOf(one(e)),
  }));
}"""


@browser_test
@each_target
def test_the_page_weighs_q_as_python_does(target, show):
    visit, ellipses = show(make_ellipse(target)), random_ellipses()
    visit.page.evaluate(STAND_IN)
    page = visit.page.evaluate(PAGE_TERMS, ellipses)
    page = {key: np.array([one[key] for one in page]) for key in page[0]}
    explorer = make_ellipse(target)
    expected = {"elbo": [], "kl": [], "forwardKl": [], "entropy": [], "klPrior": []}
    prior = FullGaussian(torch.zeros(2).double(), torch.eye(2).double())
    for one in ellipses:
        laid = lay(explorer, *one)
        expected["elbo"].append(laid.elbo())
        expected["kl"].append(laid.kl())
        expected["forwardKl"].append(laid.forward_kl())
        expected["entropy"].append(scipy_q(*one).entropy())
        expected["klPrior"].append(full_gaussian_kl(laid.q, prior).item())
    close = {"rtol": 1e-9, "atol": 1e-5}
    for key, values in expected.items():
        np.testing.assert_allclose(page[key], values, **close, err_msg=key)
    whole = page["elbo"] + page["kl"]
    np.testing.assert_allclose(whole, explorer.log_evidence(), rtol=0, atol=1e-9)
    split = [page["expectedLogLik"] - page["klPrior"], page["energy"] + page["entropy"]]
    np.testing.assert_allclose(split, [page["elbo"]] * 2, rtol=1e-12, atol=1e-9)
    covs = [scipy_q(*one).cov for one in ellipses]
    np.testing.assert_allclose(page["cov"], covs, rtol=0, atol=1e-12)
    grid = grid_forward_kl(target, ellipses)
    np.testing.assert_allclose(page["forwardKl"], grid, **close)
    assert page["kl"].min() > 0 and page["forwardKl"].min() > 0
    assert visit.problems == []


@browser_test
@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"target": "gaussian"}, [1, 1, 1]),
        ({}, [2, 1, 1]),
        ({"banana": Banana(-1.5, 0.8, 0.4)}, [1, 1, 1]),
    ],
)
def test_posterior_contours_lie_at_their_drops(options, count, show):
    explorer = make_ellipse(**options)
    page = show(explorer).page
    page.evaluate(STAND_IN)
    log_joint = explorer.posterior.log_joint
    axis = torch.linspace(-4, 4, 401, dtype=torch.float64)
    z = torch.cartesian_prod(axis, axis)
    start = z[log_joint(z).argmax()]
    top = log_joint(laplace(log_joint, start).gaussian.mu)
    for drop, number in zip((0.5, 2, 4.5), count, strict=True):
        curves = page.evaluate(
            """(drop) => m.module.contours(
              m.model.get("targets")[m.model.get("target")], drop)""",
            drop,
        )
        assert len(curves) == number
        points = torch.from_numpy(np.concatenate(curves))
        below = top - log_joint(points)
        np.testing.assert_allclose(below, drop, atol=1e-6)
        inside = z[log_joint(z) > top - drop]
        for edge in ("amin", "amax"):
            reach = getattr(points, edge)(0)
            np.testing.assert_allclose(reach, getattr(inside, edge)(0), atol=0.03)


def plane_points(page, selector):
    """Vertices of a path over the plane of q, as (z1, z2)."""
    box = boxes(page)[0]
    half = np.array([3.5, 3.5 * box["height"] / box["width"]])
    return (2 * drawn(page, selector) - 1) * half


def settle(page):
    page.wait_for_function(
        "document.querySelector('svg').viewBox.baseVal.width !== 360"
    )


@browser_test
@each_target
def test_q_its_handles_and_the_posterior_are_drawn_to_scale(target, show):
    page = show(make_ellipse(target)).page
    settle(page)
    box = boxes(page)[0]
    assert box["height"] == pytest.approx(box["width"], rel=0.03)
    page.add_style_tag(content=".lq .lx-plot { aspect-ratio: 1.2 }")
    page.wait_for_function(
        "(height) => document.querySelector('svg').viewBox.baseVal.height < height",
        arg=box["height"],
    )
    box = boxes(page)[0]
    scale = box["width"] / 7
    mu, lengths, angle = ELLIPSES[0]
    q = scipy_q(mu, lengths, angle)
    for k, size in enumerate((2, 1)):
        z = plane_points(page, f".lx-el-q path >> nth={k}") - mu
        mahalanobis = np.einsum("ni,ij,nj->n", z, np.linalg.inv(q.cov), z)
        np.testing.assert_allclose(mahalanobis, size**2, rtol=0.05)
    turn = np.radians(angle)
    tips = [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)], [0, 0]]
    centre = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    for k, (ring, tip) in enumerate(
        zip(page.locator(".lx-handle").all(), tips, strict=True)
    ):
        place = ring.bounding_box()
        at = np.array([place["x"] + 22, place["y"] + 22]) - centre
        expected = mu + 2 * [*lengths, 0][k] * np.array(tip)
        np.testing.assert_allclose(at * [1, -1] / scale, expected, atol=0.02)
    z = plane_points(page, ".lx-el-p path >> nth=0")
    height = scipy_joint(target, z)
    np.testing.assert_allclose(height, height[0], atol=0.2)


def shown_sum(page):
    return numbers(page, ".lq-sum dd")


def goal(page):
    text = page.locator(".lq-goal dd").text_content()
    return float(text.removesuffix(" nats").replace("\u2212", "-"))


def splits(page):
    texts = page.locator(".lx-part .lx-reading dd").all_text_contents()[:2]
    clean = (re.sub(r"([+\u2212]) ", r"\1", text) for text in texts)
    return [[float(n.replace("\u2212", "-")) for n in t.split(" ")] for t in clean]


def q_shown(page):
    """The five numbers beside the sliders, the angle in degrees."""
    texts = page.locator(".lx-slider .lx-number").all_text_contents()
    return [float(text.replace("\u2212", "-").rstrip("\u00b0")) for text in texts]


def expect_q(page, target, mu, lengths, angle, *, direction="reverse"):
    """Every number on the page is that of this q."""
    explorer = lay(make_ellipse(target, direction=direction), mu, lengths, angle)
    assert q_shown(page)[:4] == pytest.approx([*mu, *lengths], abs=0.006)
    assert q_shown(page)[4] == pytest.approx(angle, abs=0.6)
    whole, elbo, kl = shown_sum(page)
    worth = [explorer.log_evidence(), explorer.elbo(), explorer.kl()]
    assert [whole, elbo, kl] == pytest.approx(worth, abs=0.0011)
    assert whole == pytest.approx(elbo + kl, abs=1e-9)
    (fit, kl_prior), (energy, entropy) = splits(page)
    assert elbo == pytest.approx(fit + kl_prior) == pytest.approx(energy + entropy)
    assert entropy == pytest.approx(scipy_q(mu, lengths, angle).entropy(), abs=0.002)
    forward = direction == "forward"
    least = explorer.forward_kl() if forward else explorer.kl()
    assert goal(page) == pytest.approx(least, abs=0.0006)


HOME = ([0.3, 1.0], [0.7, 0.35], 15)


@browser_test
@each_target
def test_log_evidence_is_the_sum_wherever_q_goes(target, show):
    page = show(make_ellipse(target)).page
    expect_q(page, target, *HOME)
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    for k, (mu, lengths, angle) in enumerate(random_ellipses(6)):
        values = [["mu", mu], ["lengths", lengths], ["angle", angle]]
        for pair in values[k % 3 :] + values[: k % 3]:
            page.evaluate("([name, value]) => m.model.set(name, value)", pair)
        expect_q(page, target, mu, lengths, angle)


def drag(page, ring, dx, dy, *, grip=(0, 0)):
    box = ring.bounding_box()
    x, y = box["x"] + 22 + grip[0], box["y"] + 22 + grip[1]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=3)
    page.mouse.up()
    page.mouse.move(x, y)


@browser_test
def test_dragging_the_mean_and_the_ends_of_the_axes(show):
    page = show(make_ellipse()).page
    settle(page)
    unit = boxes(page)[0]["width"] / 7
    first, second, mean = page.locator(".lx-handle").all()
    drag(page, mean, -unit, unit / 2, grip=(6, 3))
    expect_near(page, [-0.7, 0.5], [0.7, 0.35], 15)
    turn = np.radians([15, 75])
    tip = 1.4 * np.array([np.cos(turn[0]), np.sin(turn[0])])
    to = 2.4 * np.array([np.cos(turn[1]), np.sin(turn[1])])
    drag(page, first, *(unit * (to - tip) * [1, -1]), grip=(-5, 4))
    expect_near(page, [-0.7, 0.5], [1.2, 0.35], 75)
    tip = 0.7 * np.array([-np.sin(turn[1]), np.cos(turn[1])])
    drag(page, second, *(unit * (np.array([0.4, -2]) - tip) * [1, -1]))
    angle = np.degrees(np.arctan2(-2, 0.4)) - 90
    expect_near(page, [-0.7, 0.5], [1.2, np.hypot(2, 0.4) / 2], angle)


def expect_near(page, mu, lengths, angle):
    """Where a pointer took q, to a pixel; the numbers are those of where it is."""
    shown = q_shown(page)
    assert shown[:4] == pytest.approx([*mu, *lengths], abs=0.03)
    assert shown[4] == pytest.approx(angle, abs=2)
    whole, elbo, kl = shown_sum(page)
    assert whole == pytest.approx(elbo + kl, abs=1e-9)
    explorer = lay(make_ellipse(), shown[:2], shown[2:4], shown[4])
    assert kl == pytest.approx(explorer.kl(), rel=0.1)


@browser_test
def test_the_nearest_handle_takes_a_press_where_they_overlap(show):
    explorer = make_ellipse(start=((0, 0), (0.2, 0.2), 0))
    page = show(explorer).page
    settle(page)
    unit = boxes(page)[0]["width"] / 7
    first, second, mean = page.locator(".lx-handle").all()
    drag(page, first, unit, 0)  # 18 pixels beside the mean, under its ring
    expect_near(page, [0, 0], [0.7, 0.2], 0)
    drag(page, mean, 0, -unit)
    expect_near(page, [0, 1], [0.7, 0.2], 0)
    drag(page, second, 0, -unit)
    expect_near(page, [0, 1], [0.7, 0.7], 0)
    drag(page, mean, -2 * unit, unit, grip=(-60, 60))  # beside every handle
    expect_near(page, [0, 1], [0.7, 0.7], 0)


@browser_test
def test_keys_move_turn_and_stretch_q(show):
    page = show(make_ellipse()).page
    first, second, mean = page.locator(".lx-handle").all()
    for key in ("ArrowRight", "Shift+ArrowDown"):
        mean.press(key)
    step = 3.5 / 60
    mu = [0.3 + step, 1 - 5 * step]
    expect_q(page, "banana", mu, *HOME[1:])
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp"):
        first.press(key)
    expect_q(page, "banana", mu, [0.7 * 1.04, 0.35], 21)
    for key in ("ArrowRight", "Shift+ArrowDown"):
        second.press(key)
    expect_q(page, "banana", mu, [0.7 * 1.04, 0.35 / 1.04**5], 18)
    spoken = second.get_attribute("aria-valuetext")
    kl = shown_sum(page)[2]
    words = "standard deviation 0.29 at 108 degrees"
    assert spoken == f"{words}, KL(q \u2016 p) {kl:.3f} nats"
    second.press("Home")
    expect_q(page, "banana", mu, [0.7 * 1.04, 0.35], 15)
    first.press("Home")
    mean.press("Home")
    expect_q(page, "banana", *HOME)
    assert mean.get_attribute("aria-valuetext").startswith("z1 0.30, z2 1.00, KL(q")
    for _ in range(8):
        first.press("Shift+ArrowUp")
    assert q_shown(page)[2:] == [2, 0.35, 15]
    for _ in range(15):
        mean.press("Shift+ArrowLeft")
    assert q_shown(page) == [-3.5, 1, 2, 0.35, 15]


@browser_test
def test_sliders_move_one_number_each(show):
    page = show(make_ellipse("gaussian")).page
    values = [0.3, 1.0, 0.7, 0.35, 15.0]
    ends = [3.5, -3.5, 2.0, 0.1, -180.0]
    keys = ["End", "Home", "End", "Home", "Home"]
    spoken = ["mean z1", "mean z2", "first standard deviation"]
    spoken += ["second standard deviation", "angle"]
    for k, slider in enumerate(page.locator(".lx-slider input").all()):
        assert slider.get_attribute("aria-label") == spoken[k]
        slider.press(keys[k])
        values[k] = ends[k]
        expect_q(page, "gaussian", values[:2], values[2:4], values[4])
        words = slider.get_attribute("aria-valuetext")
        assert words.startswith(f"{spoken[k]} ") and words.endswith(" nats")
    slider.press("ArrowRight")
    assert q_shown(page)[4] == -179


def pressed(page, name):
    button = page.get_by_role("button", name=name, exact=True)
    return button.get_attribute("aria-pressed") == "true"


REVERSE, FORWARD = "KL(q \u2016 p)", "KL(p \u2016 q)"


@browser_test
@each_target
@pytest.mark.parametrize("direction", ["reverse", "forward"])
def test_buttons_go_to_the_best_q(target, direction, show):
    page = show(make_ellipse(target, direction=direction)).page
    best = make_ellipse().targets[target]["best"]
    for name, kind in (("Best without rotation", " diagonal"), ("Best q", "")):
        press(page, name)
        expect_q(page, target, *best[direction + kind][0], direction=direction)
        assert goal(page) == pytest.approx(
            BEST[target, direction][bool(kind)], abs=6e-4
        )
        status = page.locator(".lq-status").text_content()
        words = "Gaussian without rotation" if kind else "Gaussian"
        assert f"No {words} comes closer" in status
    mirrored = (target, direction, "") == MIRRORED
    assert ("mirror image is as good" in status) == mirrored
    assert ("It is not the gap in the bar" in status) == (direction == "forward")
    press(page, "Start over")
    expect_q(page, target, *HOME, direction=direction)
    assert "comes closer" not in page.locator(".lq-status").text_content()


@browser_test
def test_the_nearer_of_two_best_is_taken(show):
    page = show(make_ellipse(start=((-0.3, 1), (0.5, 0.5), 0))).page
    press(page, "Best q")
    assert q_shown(page) == [-0.88, 0.82, 0.86, 0.23, 63]
    page.locator(".lx-handle").last.press("Home")
    for _ in range(2):
        page.locator(".lx-handle").last.press("Shift+ArrowRight")
    press(page, "Best q")
    assert q_shown(page) == [0.88, 0.82, 0.86, 0.23, -63]


@browser_test
def test_switching_posterior_and_divergence_leaves_q(show):
    page = show(make_ellipse("gaussian")).page
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    assert pressed(page, "Correlated Gaussian") and pressed(page, REVERSE)
    before = drawn(page, ".lx-el-p path >> nth=0")
    press(page, "Banana")
    expect_q(page, "banana", *HOME)
    assert pressed(page, "Banana") and not pressed(page, "Correlated Gaussian")
    assert drawn(page, ".lx-el-p path >> nth=0").tolist() != before.tolist()
    press(page, FORWARD)
    expect_q(page, "banana", *HOME, direction="forward")
    assert page.locator(".lq-goal dt").text_content() == FORWARD
    state = "['target', 'direction', 'mu', 'angle'].map((k) => m.model.get(k))"
    assert page.evaluate(state) == ["banana", "forward", [0.3, 1], 15]
    assert FORWARD in page.locator(".lx-handle").first.get_attribute("aria-valuetext")
    page.evaluate("m.model.set('direction', 'reverse')")
    page.evaluate("m.model.set('target', 'gaussian')")
    expect_q(page, "gaussian", *HOME)
    assert page.locator(".lq-goal dt").text_content() == REVERSE
    page.locator(".lx-handle").last.press("ArrowRight")
    assert page.evaluate("m.model.get('mu')") == pytest.approx([0.3 + 3.5 / 60, 1])


def bar_points(page, name, target):
    """Ends of a block of the bar, in nats."""
    box = drawn(page, f".lx-el-{name} path >> nth=0")[:, 0]
    low = make_ellipse(target).log_evidence() - 6
    return [low + 6.9 * box.min(), low + 6.9 * box.max()]


@browser_test
@each_target
def test_the_bar_always_ends_at_the_log_evidence(target, show):
    explorer = make_ellipse(target)
    page, whole = show(explorer).page, explorer.log_evidence()
    settle(page)
    for move in ("Start over", "Best q", "Best without rotation"):
        press(page, move)
        elbo = shown_sum(page)[1]
        close = {"abs": 0.01}
        assert bar_points(page, "below", target) == pytest.approx(
            [whole - 6, elbo], **close
        )
        assert bar_points(page, "gap", target) == pytest.approx([elbo, whole], **close)
        assert bar_points(page, "end", target) == pytest.approx([whole] * 2, **close)
        assert page.locator(".lx-el-more path").count() == 0
        words = " ".join(page.locator(".lx-el-words text").all_text_contents())
        for name, value in zip(
            ("log p(x)", "ELBO", "KL"), shown_sum(page), strict=True
        ):
            assert f"{name} {value:.3f}".replace("-", "\u2212") in words
    page.locator(".lx-slider input").nth(1).press("Home")
    assert shown_sum(page)[1] < whole - 6
    assert bar_points(page, "gap", target) == pytest.approx([whole - 6, whole], **close)
    assert page.locator(".lx-el-more path").count() == 1
    assert page.locator(".lx-el-words .elbo").text_content().startswith("\u25c2 ELBO")


@browser_test
@pytest.mark.parametrize("width", [360, 1280])
def test_words_of_the_bar_stay_apart_and_nothing_jumps(width, show):
    page = show(make_ellipse(), width=width).page
    page.add_style_tag(content=THEME)
    settle(page)
    heights = set()
    actions = ["Best without rotation", "Best q", FORWARD, "Best q"]
    actions += ["Best without rotation", "Start over", "Correlated Gaussian", "Best q"]
    for name in [*actions, REVERSE]:
        press(page, name)
        heights.add(page.locator(".lq").bounding_box()["height"])
        apart(page)
    for key in ("Home", "PageUp", "PageUp", "PageUp", "PageUp", "End"):
        page.locator(".lx-slider input").first.press(key)
        heights.add(page.locator(".lq").bounding_box()["height"])
        apart(page)
    assert len(heights) == 1


@browser_test
@pytest.mark.parametrize(
    ("width", "style"),
    [(360, ""), (1280, ".lq .lx-reading { letter-spacing: 0.06em }")],
)
def test_a_far_q_wraps_words_without_a_jump(width, style, show):
    page = show(make_ellipse("gaussian", seen=(5, 0.2)), width=width).page
    page.add_style_tag(content=THEME + style)
    settle(page)
    press(page, "Best q")
    heights, lines = set(), set()
    label = "(el) => { const range = document.createRange(); range.selectNode(el);"
    label += " return range.getBoundingClientRect().height > 28; }"
    for key in ("ArrowRight", "End", "Home"):
        for slider in page.locator(".lx-slider input").all()[:2]:
            slider.press(key)
            heights.add(page.locator(".lq").bounding_box()["height"])
            words = page.locator(".lx-part .lx-reading dt").first
            lines.add(words.evaluate(label))
    assert shown_sum(page)[1] < -1000 and len(heights) == 1
    assert lines == {False, True}


def apart(page):
    """No two words of the bar, nor a word and the side of the panel, collide."""
    words = [one.bounding_box() for one in page.locator(".lx-el-words text").all()]
    part = page.locator(".lx-part").nth(1).bounding_box()
    for inside in page.locator(".lx-el-words .inside").all():
        word, gap = inside.bounding_box(), page.locator(".lx-el-gap").bounding_box()
        assert gap["x"] < word["x"]
        assert word["x"] + word["width"] < gap["x"] + gap["width"]
    for k, a in enumerate(words):
        assert part["x"] - 1 <= a["x"]
        assert a["x"] + a["width"] <= part["x"] + part["width"] + 1
        for b in words[:k]:
            beside = a["x"] >= b["x"] + b["width"] or b["x"] >= a["x"] + a["width"]
            over = a["y"] >= b["y"] + b["height"] or b["y"] >= a["y"] + a["height"]
            assert beside or over


@browser_test
def test_a_finger_drags_an_end_and_has_room(show):
    page = show(make_ellipse(), width=360, height=900, has_touch=True).page
    settle(page)
    touch = "(el) => getComputedStyle(el).touchAction"
    assert page.locator(".lx-plot").first.evaluate(touch) == "auto"
    for ring in page.locator(".lx-handle").all():
        assert ring.evaluate(touch) == "none"
    for control in page.locator(".lq :is(button, input)").all():
        assert control.bounding_box()["height"] >= 44
    page.evaluate(
        """() => {
          const ring = document.querySelectorAll(".lx-handle")[0];
          const { left, top } = ring.getBoundingClientRect();
          const fire = (type, dx) => ring.dispatchEvent(new PointerEvent(type, {
            bubbles: true, pointerId: 1, pointerType: "touch", button: 0,
            clientX: left + 22 + dx, clientY: top + 22 }));
          fire("pointerdown", 0); fire("pointermove", 40); fire("pointerup", 40);
        }"""
    )
    box = boxes(page)[0]
    tip = 1.4 * np.array([np.cos(np.radians(15)), np.sin(np.radians(15))])
    tip += [40 * 7 / box["width"], 0]
    angle = np.degrees(np.arctan2(tip[1], tip[0]))
    expect_near(page, [0.3, 1], [np.hypot(*tip) / 2, 0.35], angle)


@browser_test
def test_two_ellipses_do_not_clash(show):
    visit = show(make_ellipse(), make_ellipse("gaussian"), make_surface())
    page = visit.page
    page.evaluate(SCROLL_DOWN)
    page.wait_for_function("document.querySelectorAll('.lx').length === 3")
    first, second = (page.locator(".lq").nth(k) for k in (0, 1))
    second.get_by_role("button", name="Best q").click()
    expect_q(first, "banana", *HOME)
    best = make_ellipse().targets["gaussian"]["best"]["reverse"][0]
    expect_q(second, "gaussian", *best)
    assert page.locator("[id], input[name]").count() == 0
    assert visit.problems == []


@browser_test
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_ellipse_is_accessible_and_fits(theme, width, show):
    visit = show(make_ellipse(), width=width)
    page = visit.page
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    press(page, "Best q")
    found = Axe().run(page).response["violations"]
    assert found == [], [(v["id"], v["nodes"][0]["html"]) for v in found]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    plane, bar = boxes(page)
    assert (plane["y"] > bar["y"] - 100) == (width > 600)
    ink = page.locator(".lx-el-end path").evaluate(
        "(el) => getComputedStyle(el).stroke"
    )
    assert ink == ("rgb(29, 39, 51)" if theme == "light" else "rgb(230, 235, 240)")
    assert visit.problems == []


@browser_test
def test_a_dragged_end_is_weighed_and_drawn_within_a_frame(show):
    page = show(make_ellipse()).page
    before = q_shown(page)
    each = work_per_move(page, DRAGGED)
    print(f"a dragged q, weighed and drawn: {each:.1f} ms of processor time")
    assert q_shown(page) != before
    assert each <= 16


# The two latent pads


def in_pad(pads, k, points):
    """Points of a model's latents as fractions of its pad."""
    low, high = np.array(pads.frames[k]).T
    return (np.asarray(points) - low) / (high - low)


def test_weights_are_rounded_to_the_nearest_of_twelve_bits():
    net = trained_autoencoder().decoder.net
    rounded_net, packed = twelve_bits(net)
    layers, exact = net[::2], rounded_net[::2]
    count = sum(layer.out_features for layer in layers)
    scales = np.frombuffer(packed[: 4 * count], "<f4").astype(float)
    bits = np.unpackbits(np.frombuffer(packed[4 * count :], "u1")).reshape(-1, 12)
    levels = bits @ 2 ** np.arange(11, -1, -1) - 2048
    for layer, rounded_layer in zip(layers, exact, strict=True):
        shape = layer.out_features, layer.in_features + 1
        scale, scales = scales[: shape[0], None], scales[shape[0] :]
        level, levels = levels[: np.prod(shape)], levels[np.prod(shape) :]
        row = np.column_stack([layer.weight.detach(), layer.bias.detach()])
        used = np.column_stack([rounded_layer.weight, rounded_layer.bias])
        np.testing.assert_array_equal(used, scale * level.reshape(shape))
        assert (np.abs(level.reshape(shape)).max(1) == 2047).all()
        assert (np.abs(used - row) <= 0.5001 * scale).all()
    assert len(levels) <= 1 and len(scales) == 0


def test_twelve_bits_hardly_change_an_image():
    pads, net = make_pads(), trained_autoencoder().decoder.net.double()
    with torch.no_grad():
        whole = torch.sigmoid(net(pads.codes[0]))
    net.float()
    off = (pads.probabilities(0, pads.codes[0]) - whole).abs()
    assert off.mean() < 1e-3 and off.max() < 0.03


@pytest.mark.parametrize("numbers", [[0.0, 0.0], [3.0, 0.0], [-1.0, 1e-9]])
def test_rows_of_zeros_and_odd_counts_are_packed(numbers):
    net = torch.nn.Sequential(torch.nn.Linear(2, 1))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([numbers]))
        net[0].bias.zero_()
    rounded_net, packed = twelve_bits(net)
    expected = torch.tensor([numbers]).double()
    torch.testing.assert_close(rounded_net[0].weight, expected, atol=1e-8, rtol=1e-6)
    assert len(packed) == 4 + 6
    with torch.no_grad():
        net[0].bias.fill_(float("nan"))
    with pytest.raises(ValueError, match="every weight must be finite; received nan"):
        twelve_bits(net)


def test_codes_are_the_encoders_means_and_draws_those_of_their_gaussian():
    pads = make_pads()
    models = trained_autoencoder(), model_of(2)
    for k, model in enumerate(models):
        with torch.no_grad():
            mu = model.encoder(load_digits().test.x)[0].double()
        torch.testing.assert_close(pads.codes[k], mu, rtol=1e-3, atol=1e-3)
        chol = np.linalg.cholesky(np.cov(pads.codes[k].T, bias=True))
        fitted = pads.codes[k].mean(0).numpy() + pads.noise.numpy() @ chol.T
        np.testing.assert_allclose(pads.draws("fitted")[k], fitted, rtol=1e-10)
        assert torch.equal(pads.draws("prior")[k], pads.noise)
    assert pads.noise.shape == (8, 12, 2) and len(pads.noise.unique()) > 150


@pytest.mark.parametrize("source", ["prior", "fitted"])
def test_draws_where_no_code_is_and_codes_inside_equal_scipy(source):
    pads = make_pads()
    lost, inside = pads.where_no_code_is(source), pads.codes_inside(source)
    for k in range(2):
        codes, draws = pads.codes[k].numpy(), pads.draws(source)[k].numpy()
        tree = cKDTree(codes)
        own = tree.query(codes, 2)[0][:, 1]
        reach = np.quantile(own, 0.95)
        assert pads.reach[k] == pytest.approx(reach, rel=1e-12)
        assert (own > reach).mean() == pytest.approx(0.05, abs=0.005)
        far = tree.query(draws)[0] > reach
        np.testing.assert_array_equal(lost[k], far)
        mean, cov = np.zeros(2), np.eye(2)
        if source == "fitted":
            mean, cov = codes.mean(0), np.cov(codes.T, bias=True)
        off = codes - mean
        squared = np.einsum("ni,ij,nj->n", off, np.linalg.inv(cov), off)
        assert inside[k] == (squared <= 4).sum()
    assert 0 < lost.sum() < lost.numel()


def test_the_prior_holds_the_codes_of_the_vae_and_few_of_the_autoencoder():
    pads = make_pads()
    plain, variational = pads.codes_inside("prior")
    assert plain < 200 < 350 < variational
    assert min(pads.codes_inside("fitted")) > 350


def test_frames_hold_codes_draws_and_the_prior():
    pads = make_pads()
    for k in range(2):
        shown = [pads.codes[k], *(pads.draws(s)[k].flatten(0, 1) for s in SOURCES)]
        for points in (*shown, [[-2, -2], [2, 2]]):
            at = in_pad(pads, k, points)
            assert at.min() > 0.02 and at.max() < 0.98
        across, up = pads.frames[k]
        assert across[1] - across[0] == pytest.approx(up[1] - up[0])


def test_pads_are_read_set_and_observed():
    pads, seen = make_pads(), []
    assert pads.z == pads.codes[:, 0].tolist() == pads.home
    assert (pads.draw, pads.source, pads.names) == (0, "prior", ["autoencoder", "VAE"])
    pads.observe(lambda change: seen.append(change["new"]), ["z", "draw", "source"])
    pads.z, pads.draw, pads.source = [[0, 1], [2, -3.5]], 7, "fitted"
    assert seen == [[[0, 1], [2, -3.5]], 7, "fitted"]


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("z", [[0.0, 0.0]], r"two points of 2 finite numbers; received \[\[0.0, 0.0\]"),
        ("z", [[0.0], [0.0, 1.0]], "two points of 2"),
        ("z", [[0.0, 1.0], [0.0, float("inf")]], "finite numbers; received"),
        ("draw", 8, "draw must be 0 to 7; received 8"),
        ("draw", -1, "received -1"),
        ("source", "posterior", "must be prior or fitted; received posterior"),
    ],
)
def test_pads_refuse_traits(trait, value, message):
    with pytest.raises(ValueError, match=message):
        setattr(make_pads(), trait, value)


def with_relu(model):
    model.decoder.net[1] = torch.nn.ReLU()
    return model


def collapsed(model):
    with torch.no_grad():
        model.encoder.net[-1].weight.zero_()
    return model


@pytest.mark.parametrize(
    ("second", "options", "message"),
    [
        (lambda: None, {}, "models must be two; received VAE"),
        (lambda: briefly_trained(1, 0), {}, r"other.decoder must take 2 latents to 64"),
        (lambda: VAE(36, (8,), 2, rng=torch.Generator()), {}, "64 pixels; .* 2 to 36"),
        (lambda: with_relu(briefly_trained(2, 0)), {}, "other.decoder.net must alter"),
        (lambda: collapsed(briefly_trained(2, 0)), {}, "covariance of other's codes"),
        (lambda: model_of(2), {"num_draws": 25}, "1 to 24; received 25"),
        (lambda: model_of(2), {"num_draws": 0}, "num_draws must be 1 to 24"),
    ],
)
def test_models_that_cannot_be_compared_are_refused(second, options, message):
    models = {"VAE": model_of(2), "other": second()}
    models = {name: model for name, model in models.items() if model}
    with pytest.raises(ValueError, match=message):
        make_pads(models, **options)


def test_a_code_that_is_not_finite_is_refused():
    model = briefly_trained(2, 0)
    with torch.no_grad():
        model.encoder.net[-1].bias[0] = float("inf")
    with pytest.raises(ValueError, match=r"other.encoder must give finite codes"):
        make_pads({"VAE": model_of(2), "other": model})


def test_the_still_shows_codes_draws_and_images():
    pads = make_pads()
    picture = pads.snapshot()
    assert len(picture) <= 20_000
    assert Image.open(io.BytesIO(picture)).size == (1280, 600)
    words, lost = pads.describe(), pads.where_no_code_is()[1].sum()
    assert "codes of 447 test images" in words and "12 draws of N(0, I)" in words
    assert f"VAE: {pads.codes_inside()[1]} codes within 2 sigma" in words
    assert f"of it, {lost} of its 96 draws where no code is." in words
    pads.draw = 1
    second = pads.snapshot()
    pads.source = "fitted"
    assert len({picture, second, pads.snapshot()}) == 3
    assert "12 draws of a Gaussian fitted to the codes" in pads.describe()
    assert make_pads(num_draws=1).snapshot() not in (b"", picture)


def test_the_pads_are_light():
    rng = torch.Generator().manual_seed(0)
    models = {name: VAE(64, (128, 128), 2, rng=rng) for name in ("one", "other")}
    assert len(embedded(make_pads(models))) < 150_000


@browser_test
@pytest.mark.parametrize("hidden", [None, (5,), (3, 4)])
def test_pads_of_the_page_equal_python(hidden, show):
    """Nets of few weights too: an odd number of them, and more than one layer."""
    rng = torch.Generator().manual_seed(1)
    models = hidden and {name: VAE(64, hidden, 2, rng=rng) for name in ("a", "b")}
    pads = make_pads(models)
    visit = show(pads)
    visit.page.evaluate(STAND_IN)
    noise = np.random.default_rng(11)
    zs = pads.codes.mean(1)[:, None] + pads.codes.std(1)[:, None] * torch.from_numpy(
        noise.normal(size=(2, 50, 2))
    )
    page = visit.page.evaluate(
        """(zs) => m.module.readPads(m.model).map((data, k) => {
          const { imageOf, inside, nearest } = m.module;
          const of = (f) => (from) => f(data.sources[from]);
          const both = (f) => ["prior", "fitted"].map(of(f));
          return {
            codes: data.codes,
            images: zs[k].map((z) => Array.from(imageOf(data, z))),
            nearest: zs[k].map((z) => nearest(data, z)),
            inside: both((source) => inside(data, source)),
            draws: both(({ draws }) => draws),
            lost: both(({ draws }) => draws.map((z) => nearest(data, z).lost)),
            strips: both(({ draws }) => draws.map((z) => Array.from(imageOf(data, z)))),
          };
        })""",
        zs.tolist(),
    )
    exact = {"rtol": 0, "atol": 1e-5}
    for k, found in enumerate(page):
        np.testing.assert_array_equal(found["codes"], pads.codes[k])
        images = pads.probabilities(k, zs[k])
        np.testing.assert_allclose(found["images"], images, **exact)
        distance, _ = cKDTree(pads.codes[k]).query(zs[k])
        here = found["nearest"]
        np.testing.assert_allclose([n["distance"] for n in here], distance, **exact)
        away = (zs[k] - pads.codes[k][[n["row"] for n in here]]).norm(dim=1)
        np.testing.assert_allclose(away, distance, **exact)
        for j, source in enumerate(SOURCES):
            draws = pads.draws(source)[k].flatten(0, 1)
            np.testing.assert_allclose(found["draws"][j], draws, **exact)
            strips = pads.probabilities(k, draws)
            np.testing.assert_allclose(found["strips"][j], strips, **exact)
            lost = pads.where_no_code_is(source)[k].flatten()
            assert found["lost"][j] == lost.tolist()
            assert found["inside"][j] == pads.codes_inside(source)[k]
    assert visit.problems == []


def side_of(page, k):
    return page.locator(".la .lx-part").nth(k)


def inks(pictures):
    """Probabilities of ink that canvases show, (N, D), in the light theme."""
    urls = pictures.evaluate_all("(all) => all.map((one) => one.toDataURL())")
    files = [io.BytesIO(base64.b64decode(url.partition(",")[2])) for url in urls]
    reds = [np.array(Image.open(file).convert("RGB"))[..., 0].ravel() for file in files]
    return (255.0 - np.array(reds)) / (255 - 29)


def check_pads(page, pads):
    """Everything on the page is that of ``pads``."""
    settled(page)
    draws, lost = pads.draws(), pads.where_no_code_is()
    now = lost[:, pads.draw]
    for k, name in enumerate(pads.names):
        side, points = side_of(page, k), draws[k, pads.draw]
        tiles = side.locator(".la-strip canvas")
        expected = pads.probabilities(k, points)
        np.testing.assert_allclose(inks(tiles), expected, rtol=0, atol=0.005)
        shown = tiles.evaluate_all(
            "(all) => all.map((one) => one.classList.contains('la-lost'))"
        )
        assert shown == now[k].tolist()
        for kind, chosen in (("near", ~now[k]), ("lost", now[k])):
            path = side.locator(f".lx-pad-draws .{kind}")
            at = re.findall(r"M([-\d.]+) ([-\d.]+)", path.get_attribute("d"))
            places = of_axes(path, at) if at else np.empty((0, 2))
            at = in_pad(pads, k, points[chosen])
            np.testing.assert_allclose(places, at, rtol=0, atol=0.001)
        decoded = inks(side.locator(".la-ring canvas"))[0]
        image = pads.probabilities(k, pads.z[k])
        np.testing.assert_allclose(decoded, image, rtol=0, atol=0.005)
        assert side.locator("dd").all_text_contents() == [
            f"{lost[k].sum()} of {lost[k].numel()}",
            f"{pads.codes_inside()[k]} of 447",
        ]
        words = f"{name} decodes from 12 draws, {now[k].sum()} of them where no code is"
        assert side.locator(".la-strip").get_attribute("aria-label").endswith(words)
        fitted = side.locator(".lx-pad-fitted path").count()
        assert fitted == (2 if pads.source == "fitted" else 0)
    one, other = now.sum(1).tolist()
    assert page.locator(".la-controls .lx-note").text_content() == (
        f"Set {pads.draw + 1} of 8. Where no code is: {one} of 12 for the "
        f"autoencoder, {other} of 12 for the VAE."
    )


@browser_test
def test_sampling_walks_through_the_sets_of_both_sources(show):
    pads = make_pads()
    visit = show(pads)
    page = visit.page
    check_pads(page, pads)
    button = page.locator(".la-controls button")
    assert button.text_content() == "Sample the prior"
    button.click()
    pads.draw = 1
    check_pads(page, pads)
    page.get_by_label("Draw from").select_option("fitted")
    assert button.text_content() == "Sample the Gaussian"
    pads.source = "fitted"
    check_pads(page, pads)
    for draw in (2, 3, 4, 5, 6, 7, 0):
        button.click()
        status = page.locator(".la-controls .lx-note").text_content()
        assert status.startswith(f"Set {draw + 1} of 8.")
    pads.draw = 0
    check_pads(page, pads)
    assert visit.problems == []


@browser_test
def test_codes_circles_and_rings_are_drawn_to_scale(show):
    pads = make_pads()
    page = show(pads).page
    settled(page)
    page.get_by_label("Draw from").select_option("fitted")
    for k in range(2):
        side = side_of(page, k)
        for digit in range(10):
            path = f".lx-pad-codes path:nth-child({digit + 1})"
            codes = pads.codes[k][np.array(pads.labels) == digit]
            expected = in_pad(pads, k, codes)
            np.testing.assert_allclose(drawn(side, path), expected, rtol=0, atol=0.001)
            style = side.locator(path).get_attribute("style")
            assert style == f"stroke: var(--lx-class-{digit})"
        low, high = np.array(pads.frames[k]).T
        mean, cov = pads.codes[k].mean(0).numpy(), np.cov(pads.codes[k].T, bias=True)
        for name, centre, spread in (
            ("prior", np.zeros(2), np.eye(2)),
            ("fitted", mean, cov),
        ):
            for radius in (1, 2):
                path = f".lx-pad-{name} path:nth-child({radius})"
                off = drawn(side, path) * (high - low) + low - centre
                squared = np.einsum("ni,ij,nj->n", off, np.linalg.inv(spread), off)
                tall = (high - low)[0] / np.linalg.eigvalsh(spread)[0] ** 0.5
                np.testing.assert_allclose(squared**0.5, radius, atol=0.001 * tall)
        ring, plot = side.locator(".lx-handle").bounding_box(), boxes(side)[0]
        assert plot["width"] == pytest.approx(plot["height"], abs=1)
        across, up = in_pad(pads, k, pads.z[k])
        left, top = plot["x"] + across * plot["width"], plot["y"] + plot["height"]
        assert ring["x"] + 22 == pytest.approx(left, abs=1.5)
        assert ring["y"] + 22 == pytest.approx(top - up * plot["height"], abs=1.5)


def point_shown(page, k):
    text = side_of(page, k).locator(".la-ring p").first.text_content()
    pair = re.fullmatch(r"Decoded at z = \((.*), (.*)\)", text.replace("\u2212", "-"))
    return [float(number) for number in pair.groups()]


def check_ring(page, pads, k, z):
    """The ring of a side is at z, and its image and its words are of there."""
    assert point_shown(page, k) == pytest.approx(z, abs=0.006)
    image = pads.probabilities(k, z)
    decoded = inks(side_of(page, k).locator(".la-ring canvas"))[0]
    np.testing.assert_allclose(decoded, image, rtol=0, atol=0.02)
    distance, row = cKDTree(pads.codes[k]).query(z)
    closest = f"of class {pads.labels[row]}, is "
    start = "No code is here; the nearest, " if distance > pads.reach[k] else "The near"
    words = side_of(page, k).locator(".la-ring p").nth(1).text_content()
    assert words.startswith(start) and closest in words
    away = float(re.search(r"is ([\d.]+) away\.$", words)[1])
    assert away == pytest.approx(distance, abs=0.02 * pads.reach[k] + 0.006)
    handle = side_of(page, k).locator(".lx-handle")
    spoken = handle.get_attribute("aria-valuetext")
    assert spoken.startswith("z1 ") and spoken.endswith(words.removesuffix("."))
    assert pads.names[k] in handle.get_attribute("aria-label")


@browser_test
def test_keys_and_the_mouse_move_one_ring(show):
    pads = make_pads()
    page = show(pads).page
    settled(page)
    for k in range(2):
        (left, right), _ = pads.frames[k]
        step, (a, b) = (right - left) / 80, pads.home[k]
        ring = side_of(page, k).locator(".lx-handle")
        check_ring(page, pads, k, [a, b])
        for key in ("ArrowRight", "Shift+ArrowDown", "ArrowLeft", "ArrowLeft"):
            ring.press(key)
        check_ring(page, pads, k, [a - step, b - 5 * step])
    check_ring(page, pads, 0, point_shown(page, 0))
    side_of(page, 0).locator(".lx-handle").press("Home")
    check_ring(page, pads, 0, pads.home[0])
    moved, plot = point_shown(page, 1), boxes(page)[0]
    page.mouse.click(plot["x"] + 0.1 * plot["width"], plot["y"] + 0.1 * plot["height"])
    low, high = np.array(pads.frames[0]).T
    corner = low + np.array([0.1, 0.9]) * (high - low)
    assert point_shown(page, 0) == pytest.approx(corner.tolist(), abs=0.1)
    check_ring(page, pads, 0, point_shown(page, 0))
    assert "No code is here" in side_of(page, 0).locator(".la-ring").text_content()
    assert point_shown(page, 1) == moved


@browser_test
def test_a_finger_drags_a_ring_and_the_controls_lie_between_the_pads(show):
    pads = make_pads()
    page = show(pads, width=360, height=900, has_touch=True).page
    settled(page)
    touch = "(el) => getComputedStyle(el).touchAction"
    for k in range(2):
        assert side_of(page, k).locator(".lx-plot").evaluate(touch) == "auto"
        assert side_of(page, k).locator(".lx-handle").evaluate(touch) == "none"
    for control in page.locator(".la-controls :is(button, select)").all():
        assert control.bounding_box()["height"] >= 44
    one, other = (side_of(page, k).bounding_box() for k in range(2))
    controls = page.locator(".la-controls").bounding_box()
    assert one["y"] + one["height"] < controls["y"] < other["y"]
    plot = boxes(page)[1]
    page.evaluate(f"window.scrollTo(0, {plot['y'] - 100})")
    plot = boxes(page)[1]
    middle = plot["x"] + plot["width"] / 2, plot["y"] + plot["height"] / 4
    page.touchscreen.tap(*middle)
    low, high = np.array(pads.frames[1]).T
    expected = low + np.array([0.5, 0.75]) * (high - low)
    assert point_shown(page, 1) == pytest.approx(expected.tolist(), abs=0.03)


@browser_test
def test_a_kernel_moves_the_pads_and_hears_of_them(show):
    pads = make_pads()
    page = show(pads).page
    page.evaluate(STAND_IN)
    page.evaluate(COUNT_SAVES)
    page.evaluate(RENDER)
    settled(page)
    pads.z, pads.draw, pads.source = [[1, -2], [0.5, 0.25]], 3, "fitted"
    page.evaluate("""() => {
      m.model.set("draw", 3);
      m.model.set("source", "fitted");
      m.model.set("z", [[1, -2], [0.5, 0.25]]);
    }""")
    check_pads(page, pads)
    assert page.get_by_label("Draw from").input_value() == "fitted"
    check_ring(page, pads, 1, [0.5, 0.25])
    assert page.evaluate("m.saves") == 0
    side_of(page, 1).locator(".lx-handle").press("Home")
    page.locator(".la-controls button").click()
    page.get_by_label("Draw from").select_option("prior")
    state = page.evaluate("['z', 'draw', 'source'].map((key) => m.model.get(key))")
    assert state == [[[1, -2], pads.home[1]], 4, "prior"]
    assert page.evaluate("m.saves") == 3


@browser_test
def test_two_pairs_of_pads_do_not_clash(show):
    visit = show(make_pads(), make_pads(num_draws=3), make())
    page = visit.page
    page.evaluate(SCROLL_DOWN)
    page.wait_for_function("document.querySelectorAll('.lx').length === 3")
    first, second = (page.locator(".la").nth(k) for k in (0, 1))
    second.locator("button").click()
    second.locator(".lx-handle").first.press("ArrowUp")
    assert first.locator(".la-controls .lx-note").text_content().startswith("Set 1 of")
    note = second.locator(".la-controls .lx-note").text_content()
    assert note.startswith("Set 2 of 8.") and "of 3 for the VAE" in note
    assert second.locator(".la-strip canvas").count() == 6
    assert page.locator("[id], input[name]").count() == 0
    assert visit.problems == []


@browser_test
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_pads_are_accessible_fit_and_stay_in_place(theme, width, show):
    visit = show(make_pads(), width=width)
    page = visit.page
    settled(page)
    light = inks(page.locator(".la-strip canvas"))
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    page.wait_for_timeout(50)
    assert np.array_equal(inks(page.locator(".la-strip canvas")), light) == (
        theme == "light"
    )
    found = Axe().run(page).response["violations"]
    assert found == [], [(v["id"], v["nodes"][0]["html"]) for v in found]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    one, other = boxes(page)
    assert (one["y"] == other["y"]) == (width > 600)
    controls, strip = (
        page.locator(name).first.bounding_box()
        for name in (".la-controls", ".la-strip")
    )
    assert (controls["y"] < one["y"]) == (width > 600)
    assert strip["width"] <= width
    heights = set()
    for source in ("fitted", "prior"):
        page.get_by_label("Draw from").select_option(source)
        for _ in range(4):
            page.locator(".la-controls button").click()
            heights.add(page.locator(".la").bounding_box()["height"])
    for key in ("Home", *["Shift+ArrowLeft"] * 6, *["Shift+ArrowUp"] * 6):
        page.locator(".lx-handle").nth(0).press(key)
        page.locator(".lx-handle").nth(1).press(key)
        heights.add(page.locator(".la").bounding_box()["height"])
    assert len(heights) == 1
    letters = page.locator(".la :is(text, p, dt, dd, span)").evaluate_all(
        "(all) => all.map((one) => parseFloat(getComputedStyle(one).fontSize))"
    )
    assert min(letters) >= 11
    assert visit.problems == []


@browser_test
def test_a_dragged_ring_is_decoded_within_a_frame(show):
    rng = torch.Generator().manual_seed(0)
    models = {name: VAE(64, (128, 128), 2, rng=rng) for name in ("one", "other")}
    page = show(make_pads(models)).page
    settled(page)
    before = point_shown(page, 1)
    each = work_per_move(page, DRAGGED)
    print(f"a dragged ring, decoded and drawn: {each:.1f} ms of processor time")
    assert point_shown(page, 1) != before
    assert each <= 16


# The variance race of two gradients

FUNCTIONS = {  # f and its derivative
    "square": (lambda x: x**2, lambda x: 2 * x),
    "cos x": (lambda x: np.cos(x), lambda x: -np.sin(x)),
    "cos 2x": (lambda x: np.cos(2 * x), lambda x: -2 * np.sin(2 * x)),
    "cos 4x": (lambda x: np.cos(4 * x), lambda x: -4 * np.sin(4 * x)),
}
HALF_AXIS = {"square": 20, "cos x": 3, "cos 2x": 4, "cos 4x": 5}
BINS = {1: 80, 2: 80, 5: 160, 10: 160, 20: 160, 50: 320, 100: 320}
RACES = [  # theta, batch, baseline, target: every choice with every target
    [round(float(theta), 1), int(batch), baseline, target]
    for (target, baseline), theta, batch in zip(
        [(t, b) for t in FUNCTIONS for b in ("none", "mean", "optimal")] * 5,
        np.random.default_rng(5).uniform(-3, 3, 60),
        np.random.default_rng(6).choice(list(BINS), 60),
        strict=True,
    )
]


def make_gradients(theta=1.0, batch=1, baseline="none", target="square", **options):
    given = {"theta": theta, "batch": batch, "baseline": baseline, "target": target}
    return GradientRace(**given, **options)


def normal_mean(g):
    """E[g(eps)] for standard normal eps, by adaptive quadrature."""
    return integrate.quad(lambda e: g(e) * stats.norm.pdf(e), -12, 12, limit=400)[0]


def uniform_of(count, seed):
    """One number of the page's generator, in whole numbers."""
    word = 2**32
    v = (seed + count * 0x9E3779B9) % word
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        v = (v ^ (v >> shift)) * factor % word
    return ((v ^ (v >> 16)) + 0.5) / word


@pytest.mark.parametrize("seed", [0, 1, 2026, 2**31 - 1])
def test_the_noise_is_that_of_the_generator_and_normal(seed):
    eps = make_gradients(seed=seed).eps.numpy()
    places = [0, 2, 98, 100, 4_560, *range(99_900, 100_000, 2)]
    for place in places:
        u, v = (uniform_of(place + k, seed) for k in (1, 2))
        pair = (-2 * np.log(u)) ** 0.5 * np.exp(2j * np.pi * v)
        found = eps.flat[place : place + 2]
        np.testing.assert_allclose(found, [pair.real, pair.imag], rtol=1e-9)
    assert eps.shape == (1000, 100)
    assert stats.kstest(eps.ravel(), "norm").pvalue > 0.01
    assert abs(np.corrcoef(eps[:, ::2].ravel(), eps[:, 1::2].ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("setting", RACES[:12])
def test_gradient_and_variances_of_the_race_equal_quadrature(setting):
    theta, _, baseline, target = setting
    f, slope = (lambda e, g=g: g(theta + e) for g in FUNCTIONS[target])
    gradient = normal_mean(slope)
    best = normal_mean(lambda e: f(e) * e**2)
    b = {"none": 0, "mean": normal_mean(f), "optimal": best}[baseline]
    path = normal_mean(lambda e: (slope(e) - gradient) ** 2)
    score = normal_mean(lambda e: ((f(e) - b) * e - gradient) ** 2)
    found = make_gradients(*setting).truth()
    np.testing.assert_allclose(found, [gradient, b, path, score], atol=1e-7)


def test_the_race_has_the_variances_of_the_book():
    for theta, mean in ((0, 10), (1, 18), (2, 42)):
        none = theta**4 + 14 * theta**2 + 15
        best = 8 * theta**2 + 6
        for baseline, score in (("none", none), ("mean", mean), ("optimal", best)):
            truth = make_gradients(theta, 1, baseline).truth()
            assert truth[2:] == pytest.approx((4, score))
    for k, target in ((1, "cos x"), (2, "cos 2x"), (4, "cos 4x")):
        e = np.exp(-2 * k**2)
        expected = k**2 * (1 - e) / 2, (1 + (1 - 4 * k**2) * e) / 2
        assert make_gradients(0, 1, "none", target).truth()[2:] == pytest.approx(
            expected
        )


@pytest.mark.parametrize("setting", RACES[12:24])
def test_estimates_of_the_race_are_means_over_batches(setting):
    theta, batch, _, target = setting
    race, (f, slope) = make_gradients(*setting), FUNCTIONS[target]
    eps, b = race.eps[:, :batch].numpy(), race.truth().b
    path, score = race.estimates()
    np.testing.assert_allclose(path, slope(theta + eps).mean(1), atol=1e-9)
    np.testing.assert_allclose(score, ((f(theta + eps) - b) * eps).mean(1), atol=1e-9)


@pytest.mark.usefixtures("one_thread")
def test_measured_variances_agree_with_the_exact_ones():
    for setting in RACES[:12]:
        race = make_gradients(*setting)
        race.batch = 100
        for values, exact in zip(race.estimates(), race.truth()[2:], strict=True):
            assert 100 * values.var().item() == pytest.approx(exact, rel=0.2)


def test_the_race_of_gradients_reads_sets_and_is_observed():
    race, seen = GradientRace(), []
    names = ["theta", "batch", "baseline", "target"]
    assert [getattr(race, name) for name in names] == [1.0, 1, "none", "square"]
    race.observe(lambda change: seen.append(change["new"]), names)
    race.theta, race.batch, race.baseline, race.target = 0.3, 50, "mean", "cos 2x"
    assert seen == [0.3, 50, "mean", "cos 2x"]
    race.theta = -3
    with pytest.raises(ValueError, match="theta must be -3 to 3"):
        race.theta = 3.1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"theta": -3.1}, "theta must be -3 to 3; received -3.1"),
        ({"theta": float("nan")}, "received nan"),
        ({"batch": 3}, "batch must be one of 1, 2, 5, 10, 20, 50, 100; received 3"),
        ({"baseline": "best"}, "baseline must be one of none, mean, .*received best"),
        ({"target": "sin x"}, "target must be one of square, cos x, .*received sin x"),
        ({"seed": -1}, "seed must be 0 to 2147483647; received -1"),
    ],
)
def test_the_race_of_gradients_refuses_what_it_cannot_be(given, message):
    with pytest.raises(ValueError, match=message):
        GradientRace(**given)


def test_the_still_shows_the_race_of_gradients():
    race = GradientRace()
    pictures = {race.snapshot()}
    assert "N(1.0, 1), by batches of 1 with baseline none" in race.describe()
    assert "true 2.00: pathwise above, variance 4.00 per draw" in race.describe()
    assert "score function below, variance 30.00" in race.describe()
    assert "score function needs 7.5 times as many draws." in race.describe()
    changed = {"theta": 3.0, "batch": 100, "baseline": "mean", "target": "cos 4x"}
    for trait, value in changed.items():
        setattr(race, trait, value)
        pictures.add(race.snapshot())
    assert "mean of cos 4x" in race.describe()
    assert "pathwise gradient needs 16 times as many draws." in race.describe()
    assert len(pictures) == 5 and max(map(len, pictures)) <= 20_000
    assert Image.open(io.BytesIO(race.snapshot())).size == (1280, 600)


def test_the_race_of_gradients_is_light():
    assert len(embedded(GradientRace())) < 45_000


def test_the_verdict_of_the_race():
    said = {
        (3, "none", "square"): "the score function needs 56 times as many draws",
        (2, "none", "square"): "the score function needs 22 times as many draws",
        (1, "optimal", "square"): "the score function needs 3.5 times as many draws",
        (0, "none", "cos 4x"): "the pathwise gradient needs 16 times as many draws",
        (0.4, "none", "cos x"): "the pathwise gradient needs 1.3 times as many draws",
        (0.8, "none", "cos x"): "both need about as many draws",
    }
    for (theta, baseline, target), words in said.items():
        assert make_gradients(theta, 1, baseline, target).verdict() == words


RACED = """(settings) => {
  const { estimates, exact, noise, variance, verdict } = m.module;
  const eps = noise(m.model.get("seed"));
  return settings.map(([theta, batch, baseline, target]) => {
    const setting = { theta, batch, baseline, target };
    const truth = exact(setting);
    const found = estimates(eps, setting, truth.b);
    return {
      truth: ["gradient", "b", "pathwise", "score"].map((name) => truth[name]),
      path: [...found.pathwise].slice(0, 50), score: [...found.score].slice(0, 50),
      words: verdict(truth),
      variances: [variance(found.pathwise), variance(found.score)],
    };
  });
}"""


@browser_test
@pytest.mark.usefixtures("one_thread")
def test_estimates_and_variances_of_the_page_equal_python(show):
    race = make_gradients(seed=3)
    visit = show(race)
    visit.page.evaluate(STAND_IN)
    eps = visit.page.evaluate("[...m.module.noise(3)].filter((_, n) => n % 7 === 0)")
    np.testing.assert_allclose(eps, race.eps.ravel()[::7], rtol=1e-9)
    page = visit.page.evaluate(RACED, RACES)
    for place, (setting, found) in enumerate(zip(RACES, page, strict=True)):
        race = make_gradients(*setting, seed=3)
        path, score = race.estimates()
        close = {"rtol": 1e-9, "atol": 1e-9}
        np.testing.assert_allclose(found["truth"], race.truth(), **close)
        np.testing.assert_allclose(found["path"], path[:50], **close)
        np.testing.assert_allclose(found["score"], score[:50], **close)
        variances = [path.var().item(), score.var().item()]
        np.testing.assert_allclose(found["variances"], variances, rtol=1e-9)
        assert place >= 12 or found["words"] == race.verdict()
    assert visit.problems == []


def counted(values, half, bins):
    """Numbers of values in equal bins; those beyond are in the first and last."""
    edges = np.linspace(-half, half, bins + 1)
    return np.histogram(values.clip(-half, half).numpy(), edges)[0]


@browser_test
def test_bins_of_the_page_equal_numpy(show):
    page = show(make_gradients()).page
    page.evaluate(STAND_IN)
    found = page.evaluate(
        "m.module.tally([-9, -4, -3.9, -1, 0, 0.1, 3.9, 4.5, 7, 99], 4, 8)"
    )
    assert found == {"counts": [3, 0, 0, 1, 2, 0, 0, 4], "below": 1, "above": 3}
    assert page.evaluate("Object.keys(m.module.tally([0], 1, 2)).length") == 3
    assert [page.evaluate(f"m.module.numBins({s})") for s in BINS] == [*BINS.values()]


def race_shown(page):
    """What the page says: verdict, note, and the numbers of either estimator."""
    numbers = page.locator(".lg dd").all_text_contents()
    return page.locator(".lg-verdict").text_content(), numbers


def expected_race(race):
    truth, words = race.truth(), race.verdict()
    numbers = []
    for exact, values in zip(truth[2:], race.estimates(), strict=True):
        spread = race.batch * values.var().item()
        numbers += [exact, spread, (exact / race.batch) ** 0.5]
    return f"{words[0].upper()}{words[1:]}.", [f"{v:.2f}" for v in numbers]


def set_race(page, race):
    for name in ("theta", "batch", "baseline", "target"):
        given = [name, getattr(race, name)]
        page.evaluate("([name, value]) => m.model.set(name, value)", given)


@browser_test
def test_sliders_and_menus_move_the_race(show):
    race = GradientRace()
    page = show(race).page
    theta, batch = page.get_by_role("slider").all()
    functions, baselines = page.locator(".lg select").all()
    assert race_shown(page) == expected_race(race)
    note = page.locator(".lg .lx-note")
    assert note.text_content() == (
        "Draws for the same accuracy, at a true gradient of 2.00 and b = 0.00"
    )
    theta.press("ArrowRight")
    race.theta = 1.1
    assert race_shown(page) == expected_race(race)
    assert theta.get_attribute("aria-valuetext") == (
        "\u03b8 1.1, the score function needs 8.4 times as many draws"
    )
    batch.press("End")
    race.batch = 100
    assert race_shown(page) == expected_race(race)
    spoken = batch.get_attribute("aria-valuetext")
    assert spoken == "100 draws a batch, standard deviations 0.20 and 0.58"
    baselines.select_option("optimal")
    race.baseline = "optimal"
    assert race_shown(page) == expected_race(race)
    assert note.text_content().endswith("of 2.20 and b = 4.21")
    functions.select_option("cos 2x")
    race.target = "cos 2x"
    assert race_shown(page) == expected_race(race)
    ending = f"of {race.truth().gradient:.4f} and b = {race.truth().b:.4f}"
    assert note.text_content().endswith(ending.replace("-", "\u2212"))
    for key, value in (("Home", -3.0), ("End", 3.0)):
        theta.press(key)
        race.theta = value
        assert race_shown(page) == expected_race(race)


@browser_test
def test_a_kernel_moves_the_race_and_hears_of_it(show):
    race = make_gradients(2.0, 10, "mean", "cos x")
    page = show(race).page
    assert race_shown(page) == expected_race(race)
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    race.theta, race.batch, race.baseline, race.target = -1.7, 5, "optimal", "cos 4x"
    set_race(page, race)
    assert race_shown(page) == expected_race(race)
    menus = page.locator(".lg select")
    chosen = menus.evaluate_all("all => all.map((one) => one.value)")
    assert chosen == ["cos 4x", "optimal"]
    assert numbers(page) == [-1.7, 5]
    page.evaluate(COUNT_SAVES)
    page.get_by_role("slider").first.press("End")
    page.get_by_role("slider").last.press("ArrowRight")
    menus.first.select_option("square")
    menus.last.select_option("none")
    names = ["theta", "batch", "baseline", "target"]
    found = [page.evaluate(f"m.model.get('{name}')") for name in names]
    assert found == [3, 10, "none", "square"] and page.evaluate("m.saves") == 4


def bars_drawn(page, kind, top):
    """Number of batches in each bar of a histogram; cut bars are as high as drawn."""
    points = drawn(page, f".lg-{kind} .lx-race-bars path")
    return points[1:-1:2, 0], top * points[1:-1:2, 1]


@browser_test
@pytest.mark.parametrize("setting", [*RACES[:4], [3.0, 1, "none", "square"]])
def test_the_race_is_drawn_to_scale(setting, show):
    race = make_gradients(*setting)
    page = show(race).page
    settled(page)
    truth, half, bins = race.truth(), HALF_AXIS[race.target], BINS[race.batch]
    exact = dict(zip(("pathwise", "score"), truth[2:], strict=True))
    for (kind, variance), values in zip(exact.items(), race.estimates(), strict=True):
        sd, counts = (variance / race.batch) ** 0.5, counted(values, half, bins)
        peak = 1000 * (2 * half / bins) * stats.norm.pdf(0, scale=sd)
        curve = drawn(page, f".lg-{kind} .lx-race-normal path")
        x, up = curve.T
        x, top = 2 * half * x - half, peak / up.max()
        normal = stats.norm.pdf(x, truth.gradient, sd) * peak / stats.norm.pdf(0, 0, sd)
        np.testing.assert_allclose(top * up, normal, atol=0.01 * top)
        left, heights = bars_drawn(page, kind, top)
        np.testing.assert_allclose(left, np.arange(bins) / bins, atol=1e-4)
        np.testing.assert_allclose(heights, counts, atol=0.002 * counts.max())
        tallest = counts[1:-1].max()
        assert top >= 1.04 * min(max(tallest, peak), 2.5 * peak)
        assert top <= 1.35 * np.clip(tallest, peak, 2.5 * peak)
        band = 2 * half * drawn(page, f".lg-{kind} .lx-race-band path")[:, 0] - half
        edges = [truth.gradient - sd, truth.gradient + sd]
        np.testing.assert_allclose(band[1:3], edges, atol=0.001 * half)
        line = drawn(page, f".lg-{kind} .lx-race-truth path")
        assert 2 * half * line[0, 0] - half == pytest.approx(
            truth.gradient, abs=0.001 * half
        )
        beyond = [(values < -half).sum().item(), (values > half).sum().item()]
        names = [f"{count} beyond" for count in beyond if count]
        names += [f"{tallest} \u2191"] if tallest > top else []
        found = page.locator(f".lg-{kind} .lx-race-names text").all_text_contents()
        assert found == names


@browser_test
def test_the_axis_of_the_race_belongs_to_the_function(show):
    page = show(make_gradients(0.0, 1, "none", "cos x")).page
    axis = page.locator(".lg-score .lx-plot > svg > g text[text-anchor=middle]")
    ticks = axis.all_text_contents()
    assert ticks[0] == "\u22123" and "3" in ticks
    for slider in page.get_by_role("slider").all():
        slider.press("End")
        assert axis.all_text_contents() == ticks
    page.get_by_label("baseline b").select_option("mean")
    assert axis.all_text_contents() == ticks
    page.locator(".lg select").first.select_option("square")
    above = page.locator(".lg-pathwise .lx-plot > svg > g text[text-anchor=middle]")
    assert axis.all_text_contents()[:5] == ["\u221220", "\u221210", "0", "10", "20"]
    assert above.all_text_contents()[:5] == axis.all_text_contents()[:5]


WORDS_MEET = """() => [...m.el.querySelectorAll(".lx-plot")].some((plot) => {
  const axes = plot.querySelector("svg svg").getBoundingClientRect();
  const all = [...plot.querySelectorAll(".lx-race-names text")];
  const boxes = all.map((one) => one.getBoundingClientRect());
  const meet = (a, b) => a.left < b.right && b.left < a.right;
  return boxes.some((a, i) => a.left < axes.left || a.right > axes.right
    || boxes.slice(i + 1).some((b) => meet(a, b)));
}) || [...m.el.querySelectorAll("dt, dd")]
  .some((one) => one.scrollWidth > one.clientWidth)"""


@browser_test
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_race_of_gradients_is_accessible_and_fits(theme, width, show):
    visit = show(GradientRace(), GradientRace(theta=0.5), width=width)
    page = visit.page
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    page.evaluate(SCROLL_DOWN)
    page.wait_for_function("document.querySelectorAll('.lg').length === 2")
    found = Axe().run(page).response["violations"]
    assert found == [], [(v["id"], v["nodes"][0]["html"]) for v in found]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ink = page.locator(".lx-race-truth path").first
    expected = "rgb(29, 39, 51)" if theme == "light" else "rgb(230, 235, 240)"
    assert ink.evaluate("(el) => getComputedStyle(el).stroke") == expected
    page.locator(".lg").first.get_by_role("slider").first.press("Home")
    thetas = page.locator(".lg .lx-slider:first-child .lx-number").all_text_contents()
    assert thetas == ["\u22123.00", "0.50"]
    assert page.locator("[id], input[name]").count() == 0
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    page.wait_for_timeout(50)
    heights = set()
    for setting in RACES[:12]:
        set_race(page, make_gradients(*setting))
        heights.add(page.locator(".lg").bounding_box()["height"])
        assert not page.evaluate(WORDS_MEET), setting
    assert len(heights) == 1
    assert visit.problems == []


SLID_GRADIENT = """async () => {
  const [theta] = document.querySelectorAll(".lg input");
  for (let k = 1; k <= 60; k++) {
    await new Promise(requestAnimationFrame);
    theta.value = 3 * Math.sin(k / 9);
    theta.dispatchEvent(new Event("input"));
  }
}"""


@browser_test
def test_a_slide_over_all_batches_is_painted_within_a_frame(show):
    page = show(make_gradients(batch=100)).page
    each = work_per_move(page, SLID_GRADIENT)
    print(f"a hundred thousand draws averaged and drawn: {each:.1f} ms")
    assert each <= 16


# The spectrum under a noise variance

NOISES = [(10, None), (15, 0.12), (1, 0.3), (20, 0.006), (7, 0.7)]
LAYERS = ("above", "below", "dead", "off")


def at_noise(explorer, num_latents, var):
    explorer.num_latents = num_latents
    explorer.var = var or explorer.best_var()
    return explorer


def random_noises(count):
    noise, (low, high) = np.random.default_rng(5), make_spectrum().frame["var"]
    variances = np.exp(noise.uniform(np.log(low), np.log(high), count))
    latents = noise.integers(1, 21, count)
    return [[int(k), float(v)] for k, v in zip(latents, variances, strict=True)]


def scipy_marginal(num_latents, var):
    """p(x) of probabilistic PCA, by the singular values of the training images."""
    x = load_digits(binarize=False).train.x.double().numpy()
    _, values, rows = np.linalg.svd(x - x.mean(0), full_matrices=False)
    excess = np.clip(values**2 / len(x) - var, 0, None)[:num_latents]
    cov = rows[:num_latents].T @ np.diag(excess) @ rows[:num_latents]
    return stats.multivariate_normal(x.mean(0), cov + var * np.eye(len(cov)))


def noise_worth(explorer):
    """What the page shows, by linear_vae, bayes and variational."""
    terms = explorer.elbo_terms()
    return {
        "alive": explorer.num_alive(),
        "logEvidence": explorer.log_evidence(),
        "testLogEvidence": explorer.test_log_evidence(),
        "expectedLogLik": terms.expected_log_lik.item(),
        "kl": terms.kl.item(),
        "best": explorer.best_var(),
    }


@pytest.mark.usefixtures("one_thread")
def test_the_best_noise_has_the_likelihood_of_the_book():
    for num_latents, var, train, test in (
        (2, 0.054262, -0.0366, -0.3374),
        (10, 0.021705, 18.6886, 15.5197),
    ):
        explorer = make_spectrum(num_latents=num_latents)
        assert explorer.var == explorer.best_var() == pytest.approx(var, abs=5e-7)
        assert explorer.log_evidence() == pytest.approx(train, abs=5e-5)
        assert explorer.test_log_evidence() == pytest.approx(test, abs=5e-5)


@pytest.mark.parametrize("setting", NOISES)
def test_log_evidence_and_elbo_equal_scipy_at_any_noise(setting):
    explorer, digits = at_noise(make_spectrum(), *setting), load_digits(binarize=False)
    marginal = scipy_marginal(explorer.num_latents, explorer.var)
    train, test = (
        marginal.logpdf(part.x.double().numpy()).mean()
        for part in (digits.train, digits.test)
    )
    assert explorer.log_evidence() == pytest.approx(train, abs=1e-8)
    assert explorer.test_log_evidence() == pytest.approx(test, abs=1e-8)
    terms = explorer.elbo_terms()
    assert terms.elbo.item() == pytest.approx(train, abs=1e-8)
    values = np.linalg.eigvalsh(np.cov(digits.train.x.double().T, bias=True))[::-1]
    alive = values[: explorer.num_latents][
        values[: explorer.num_latents] > explorer.var
    ]
    assert explorer.num_alive() == len(alive)
    kl = 0.5 * np.log(alive / explorer.var).sum()
    assert terms.kl.item() == pytest.approx(kl, abs=1e-8)


def test_noise_and_latents_are_read_set_and_observed():
    explorer, seen = make_spectrum(num_latents=4, num_digits=2), []
    explorer.observe(lambda change: seen.append(change["name"]), ["var", "num_latents"])
    explorer.var, explorer.num_latents = 0.1, 7
    assert seen == ["var", "num_latents"] and explorer.most == 20
    model, x = explorer.model, load_digits(binarize=False).test.x[:2].double()
    assert model.weights.shape == (64, 7) and model.var[0] == 0.1
    shrunk = (x - model.offset) @ torch.linalg.pinv(model.marginal().cov)
    expected = x - 0.1 * shrunk  # E[x without its noise | x], another way
    torch.testing.assert_close(explorer.reconstructions(), expected)
    assert torch.equal(explorer.digits, x)


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("var", 0.005, "var must be 0.00534344 to 0.826127; received 0.005"),
        ("var", 0.9, "var must be .* received 0.9"),
        ("var", float("nan"), "received nan"),
        ("num_latents", 0, "num_latents must be 1 to 20; received 0"),
        ("num_latents", 21, "num_latents must be 1 to 20; received 21"),
    ],
)
def test_the_spectrum_refuses_traits(trait, value, message):
    with pytest.raises(ValueError, match=message):
        setattr(make_spectrum(), trait, value)


GREY = torch.linspace(0, 1, 40, dtype=torch.float64).reshape(10, 4) ** 2


@pytest.mark.parametrize(
    ("train", "test", "options", "message"),
    [
        (GREY, GREY, {"num_latents": 9}, "num_latents must be 1 to 1; received 9"),
        (GREY, GREY, {"num_digits": 5}, "num_digits must be 1 to 4; received 5"),
        (GREY, GREY[:2], {"num_digits": 3}, "num_digits must be 1 to 2; received 3"),
        (2 * GREY, GREY, {}, r"x_train must lie in \[0, 1\]; received 0 to 2"),
        (GREY, GREY - 1, {}, r"x_test must lie in \[0, 1\]; received -1 to 0"),
        (GREY[:, :3], GREY[:, :3], {}, r"D the same square; received \(10, 3\) and"),
        (GREY, torch.ones(3, 9), {}, r"received \(10, 4\) and \(3, 9\)"),
        (GREY[0], GREY, {}, r"x_train must be \(N, D\)"),
        (GREY, GREY / 0, {}, "x_test must be finite"),
        (GREY[:1], GREY, {}, "x_train must vary in 2 directions or more; received 0"),
    ],
)
def test_images_without_a_spectrum_are_refused(train, test, options, message):
    with pytest.raises(ValueError, match=message):
        SpectrumExplorer(train, test, **({"num_latents": 1} | options))


def test_images_of_few_directions_offer_fewer_latents():
    noise = np.random.default_rng(0)
    x = torch.from_numpy(noise.uniform(0, 1, (6, 16)))
    explorer = SpectrumExplorer(x, x, num_latents=4, num_digits=1)
    assert explorer.most == 4 and explorer.frame["var"][0] > 1e-3
    assert len(explorer.describe()) > 300 and explorer.snapshot()


def test_the_still_shows_the_spectrum():
    explorer = make_spectrum(num_latents=12)
    across = np.array([0.01, explorer.var, 0.1, 0.8])
    for spread, name in (
        (explorer.eigenvalues, "log_evidence"),
        (explorer.test_spread, "test_log_evidence"),
    ):
        curve = mean_log_p(explorer, spread, across)
        for var, height in zip(across.tolist(), curve, strict=True):
            expected = getattr(at_noise(explorer, 12, var), name)()
            assert height == pytest.approx(expected, abs=1e-5)
    explorer, pictures = make_spectrum(), []
    for setting in NOISES[:3]:
        at_noise(explorer, *setting)
        pictures.append(explorer.snapshot())
        assert len(pictures[-1]) <= 20_000
    assert Image.open(io.BytesIO(pictures[0])).size == (1280, 600)
    assert len(set(pictures)) == 3
    at_noise(explorer, 15, 0.12)
    text = explorer.describe()
    assert "the noise variance 0.1200, above which stand 10 of the 15" in text
    assert f"here {explorer.log_evidence():.2f} nats for training images" in text


def test_the_spectrum_is_light():
    assert len(embedded(make_spectrum())) < 45_000


@browser_test
def test_the_page_weighs_noise_as_python_does(show):
    visit, settings = show(make_spectrum(), make_spectrum()), random_noises(60)
    visit.page.evaluate(STAND_IN)
    page = visit.page.evaluate(
        """(settings) => settings.map(([count, noise]) => {
          const { bestNoise, readData, reconstruct, terms } = m.module;
          const data = readData(m.model);
          const pictures = [0, 1, 2].flatMap((k) => reconstruct(data, k, count, noise));
          const best = bestNoise(data, count);
          return { ...terms(data, count, noise), best, pictures };
        })""",
        settings,
    )
    explorer, gaps = make_spectrum(), []
    for one, setting in zip(page, settings, strict=True):
        expected = noise_worth(at_noise(explorer, *setting))
        pixels = explorer.reconstructions().flatten().numpy()
        np.testing.assert_allclose(one.pop("pictures"), pixels, atol=1e-4)
        assert one == pytest.approx(expected, abs=1e-5)
        gaps.append(one["logEvidence"] - one["expectedLogLik"] + one["kl"])
    assert np.abs(gaps).max() < 1e-9 and len({one["alive"] for one in page}) > 8
    data = visit.page.evaluate("m.module.readData(m.model).digits")
    np.testing.assert_allclose(data, explorer.digits, atol=2e-5)
    assert visit.problems == []


MOVE_NOISE = """([count, noise]) => {
  m.model.set("num_latents", count);
  m.model.set("var", noise);
}"""


def noise_shown(page):
    return [float(n) for n in page.locator(".lx-slider .lx-number").all_text_contents()]


def expect_noise(page, explorer):
    """Every number on the page is that of this noise and so many latents."""
    worth = noise_worth(explorer)
    assert noise_shown(page) == [round(explorer.var, 4), explorer.num_latents]
    sums = numbers(page, ".lsp-sum dd")
    elbo, whole = worth["expectedLogLik"] - worth["kl"], worth["logEvidence"]
    expected = [worth["expectedLogLik"], worth["kl"], elbo, whole, 0]
    assert sums == pytest.approx(expected, abs=0.011)
    assert sums[0] - sums[1] == pytest.approx(sums[2], abs=1e-9)
    assert sums[2:4] == pytest.approx([whole] * 2, abs=0.00501) and sums[4] == 0
    shown_kl = f"{sums[1]:.2f}"
    alive, count = worth["alive"], explorer.num_latents
    state = page.locator(".lsp-controls dd").text_content()
    assert state == f"{alive} of {count}, {shown_kl} nats"
    pair = numbers(page, ".lsp-key b")
    assert pair == pytest.approx([whole, worth["testLogEvidence"]], abs=0.00501)
    status = page.locator(".lsp-status").text_content()
    dead = f": {count - alive} of {count}. The gap is still 0."
    assert status.endswith(
        dead if alive < count else "No latent on offer has collapsed."
    )
    spoken = (
        f"{alive} of {count} latents alive, KL {shown_kl}, log p(x) {whole:.2f} nats"
    )
    for control in page.locator(".lsp :is(input, .lx-handle)").all():
        text = control.get_attribute("aria-valuetext").replace("\u2212", "-")
        assert text.endswith(spoken)
    ring = page.locator(".lx-handle")
    assert float(ring.get_attribute("aria-valuenow")) == round(explorer.var, 4)


@browser_test
def test_numbers_on_the_page_are_those_of_the_noise(show):
    page, explorer = show(make_spectrum()).page, make_spectrum()
    expect_noise(page, explorer)
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    for setting in NOISES[1:]:
        at_noise(explorer, *setting)
        page.evaluate(MOVE_NOISE, [explorer.num_latents, explorer.var])
        expect_noise(page, explorer)


def share(value, low, high):
    """Place of a value on a log axis."""
    return np.log(np.array(value) / low) / np.log(high / low)


def all_drawn(page, layer):
    """Vertices of each path of a layer, as fractions of the axes."""
    shapes = page.locator(f".lx-sp-{layer} path")
    found = shapes.evaluate_all("""all => all.map((el) => {
      const { width, height } = el.ownerSVGElement;
      const points = el.getAttribute("d").match(/-?[\\d.]+/g).map(Number);
      const size = [width.baseVal.value, height.baseVal.value];
      return points.map((v, k) => (k % 2 ? 1 - v / size[1] : v / size[0]));
    })""")
    return [np.array(points).reshape(-1, 2) for points in found]


@browser_test
@pytest.mark.parametrize("setting", NOISES)
def test_bars_and_the_line_are_drawn_to_scale(setting, show):
    explorer = at_noise(make_spectrum(), *setting)
    page, count = show(explorer).page, explorer.num_latents
    settle(page)
    low, high = explorer.frame["var"]
    line, values = share(explorer.var, low, high), explorer.eigenvalues[:20]
    places = np.arange(1, 21)
    tops, alive = share(values, low, high), explorer.num_alive()
    kinds = {"above": range(alive), "below": range(alive)}
    kinds |= {"dead": range(alive, count), "off": range(count, 20)}
    for layer in LAYERS:
        bars = all_drawn(page, layer)
        assert len(bars) == len(kinds[layer])
        for k, bar in zip(kinds[layer], bars, strict=True):
            across, up = bar.T * [[22], [1]] + [[0.4], [0]]
            assert across.min() == pytest.approx(places[k] - 0.38, abs=0.02)
            assert across.max() == pytest.approx(places[k] + 0.38, abs=0.02)
            foot = line if layer == "above" else 0
            top = line if layer == "below" else tops[k]
            assert [up.min(), up.max()] == pytest.approx([foot, top], abs=2e-3)
    np.testing.assert_allclose(all_drawn(page, "line")[0][:, 1], line, atol=1e-3)
    offer = 0.4 + 22 * all_drawn(page, "offer")[0][:, 0]
    np.testing.assert_allclose(offer, count + 0.5, atol=0.02)
    box, ring = boxes(page)[0], page.locator(".lx-handle").bounding_box()
    height = 1 - (ring["y"] + 22 - box["y"]) / box["height"]
    assert height == pytest.approx(line, abs=3e-3)
    assert page.locator(".lx-sp-word").text_content() == f"K = {count}"
    kl = explorer.elbo_terms().kl.item()
    above = sum(np.ptp(bar[:, 1]) for bar in all_drawn(page, "above"))
    assert 0.5 * above * np.log(high / low) == pytest.approx(kl, abs=0.05)


def curve_mark(page, name, explorer):
    """Where a mark of the curves lies, as (sigma^2, nats)."""
    mark = page.locator(f".lx-sp-marks circle.{name}")
    x, y = mark.evaluate("(el) => [el.cx.baseVal.value, el.cy.baseVal.value]")
    across, up = of_axes(mark, [[x, y]])[0]
    low, high = np.array(explorer.frame["var"]) * [1 / 1.12, 1.12]
    bottom, top = explorer.frame["nats"]
    return low * (high / low) ** across, bottom + up * (top - bottom)


@browser_test
@pytest.mark.parametrize("setting", [NOISES[0], NOISES[1], (1, 0.006)])
def test_curves_and_the_two_bars_are_drawn_to_scale(setting, show):
    explorer = at_noise(make_spectrum(), *setting)
    page, worth = show(explorer).page, noise_worth(explorer)
    settle(page)
    low, high = np.array(explorer.frame["var"]) * [1 / 1.12, 1.12]
    bottom, top = explorer.frame["nats"]
    longest = noise_worth(at_noise(make_spectrum(), 20, explorer.frame["var"][0]))
    end = longest["expectedLogLik"] + 0.3 * (longest["expectedLogLik"] - bottom)
    elbo = worth["expectedLogLik"] - worth["kl"]
    blocks = {"evidence": [bottom, worth["logEvidence"]], "elbo": [bottom, elbo]}
    blocks |= {"end": [worth["logEvidence"]] * 2, "kl": [elbo, worth["expectedLogLik"]]}
    seen = worth["logEvidence"] > bottom
    for layer in ("end", "kl"):
        assert len(all_drawn(page, layer)) == seen
    assert len(all_drawn(page, "more")) == 2 * (not seen)
    for layer, expected in blocks.items():
        for block in all_drawn(page, layer):
            ends = bottom + (end - bottom) * block[:, 0]
            expected = np.maximum(expected, bottom)
            np.testing.assert_allclose([ends.min(), ends.max()], expected, atol=0.02)
    words = page.locator(".lx-sp-kl-word").text_content()
    assert words == (f"KL {worth['kl']:.2f}" if seen else "")
    explorer_there = make_spectrum()
    for layer, name in (("train", "log_evidence"), ("test", "test_log_evidence")):
        curve = all_drawn(page, layer)[0]
        for across, up in curve[::16]:
            var = np.clip(low * (high / low) ** across, *explorer.frame["var"])
            at_noise(explorer_there, explorer.num_latents, var)
            expected = max(getattr(explorer_there, name)(), 2 * bottom - top)
            there = bottom + up * (top - bottom)
            assert there == pytest.approx(expected, abs=0.02 * (top - bottom))
        if seen:
            here = [explorer.var, getattr(explorer, name)()]
            assert curve_mark(page, layer, explorer) == pytest.approx(here, rel=1e-3)
    assert page.locator(".lx-sp-marks path").count() == 2 * (not seen)
    for layer, var in (("best", explorer.best_var()), ("now", explorer.var)):
        place = share(var, low, high)
        np.testing.assert_allclose(all_drawn(page, layer)[0][:, 0], place, atol=2e-3)


@browser_test
def test_the_line_is_dragged_and_the_sliders_move(show):
    explorer = make_spectrum()
    page = show(explorer).page
    settle(page)
    box, ring = boxes(page)[0], page.locator(".lx-handle")
    drag(page, ring, -60, -box["height"] / 4, grip=(5, 3))
    low, high = explorer.frame["var"]
    raised = explorer.var * (high / low) ** 0.25
    assert noise_shown(page)[0] == pytest.approx(raised, rel=0.02)
    page.mouse.click(box["x"] + 40, box["y"] + box["height"] / 2)
    assert noise_shown(page)[0] == pytest.approx((low * high) ** 0.5, rel=0.02)
    ring.press("Home")
    expect_noise(page, explorer)
    for keys, steps in (("ArrowUp", 1), ("Shift+ArrowRight", 6), ("ArrowDown", 5)):
        ring.press(keys)
        expected = explorer.best_var() * (high / low) ** (steps / 100)
        assert noise_shown(page)[0] == pytest.approx(expected, abs=1e-4)
    noise, latents = page.locator(".lx-slider input").all()
    for key, value in (("End", high), ("ArrowRight", high), ("Home", low)):
        noise.press(key)
        expect_noise(page, at_noise(explorer, 10, value))
    latents.press("End")
    expect_noise(page, at_noise(explorer, 20, low))
    latents.press("ArrowLeft")
    expect_noise(page, at_noise(explorer, 19, low))
    press(page, "Best noise")
    expect_noise(page, at_noise(explorer, 19, None))
    latents.press("ArrowLeft")
    expect_noise(page, at_noise(explorer, 18, explorer.var))
    ring.press("Home")
    expect_noise(page, at_noise(explorer, 18, None))


@browser_test
def test_a_finger_moves_the_line_and_has_room(show):
    page = show(make_spectrum(), width=360, height=900, has_touch=True).page
    settle(page)
    for control in page.locator(".lsp :is(button, input)").all():
        assert control.bounding_box()["height"] >= 44
    box = boxes(page)[0]
    page.touchscreen.tap(box["x"] + 30, box["y"] + box["height"] / 4)
    low, high = make_spectrum().frame["var"]
    assert noise_shown(page)[0] == pytest.approx(low * (high / low) ** 0.75, rel=0.02)
    plots = [page.locator(f".lsp-{name}").bounding_box()["y"] for name in LSP_PARTS]
    assert plots == sorted(plots)


LSP_PARTS = ("spectrum", "controls", "digits", "bars", "curve")


@browser_test
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_digits_fade_as_latents_collapse(theme, show):
    explorer = make_spectrum()
    page = show(explorer).page
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    paper, ink = ([255] * 3, [29, 39, 51])
    if theme == "dark":
        paper, ink = ([27, 32, 40], [230, 235, 240])
    for key, var in (("Home", explorer.frame["var"][0]), ("End", 0.826)):
        page.locator(".lx-slider input").first.press(key)
        page.wait_for_timeout(60)
        at_noise(explorer, 10, var)
        images = torch.cat([explorer.digits, explorer.reconstructions()]).clamp(0, 1)
        expected = np.array(paper) + images.numpy()[..., None] * np.subtract(ink, paper)
        for k, image in enumerate(expected):
            shown = (
                page.locator(".lsp canvas")
                .nth(k)
                .evaluate(
                    "(el) => [...el.getContext('2d').getImageData(0, 0, 8, 8).data]"
                )
            )
            colours = np.array(shown).reshape(64, 4)[:, :3]
            np.testing.assert_allclose(colours, image, atol=1)
    assert explorer.num_alive() == 0


@browser_test
def test_a_kernel_hears_of_the_noise(show):
    page = show(make_spectrum()).page
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    page.locator(".lx-slider input").nth(0).press("End")
    page.locator(".lx-slider input").nth(1).press("Home")
    read = "['var', 'num_latents'].map((name) => m.model.get(name))"
    high = make_spectrum().frame["var"][1]
    assert page.evaluate(read) == pytest.approx([high, 1], rel=1e-12)


@browser_test
def test_two_spectra_and_a_posterior_share_a_page(show):
    visit = show(make_spectrum(), make_spectrum(num_latents=3), make_posterior())
    page = visit.page
    page.evaluate(SCROLL_DOWN)
    page.wait_for_function("document.querySelectorAll('.lx').length === 3")
    first, second = (page.locator(".lsp").nth(k) for k in (0, 1))
    second.locator("input").first.press("End")
    expect_noise(first, make_spectrum())
    high = make_spectrum().frame["var"][1]
    expect_noise(second, at_noise(make_spectrum(), 3, high))
    assert page.locator("[id], input[name]").count() == 0
    assert visit.problems == []


@browser_test
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_spectrum_is_accessible_fits_and_stays_in_place(theme, width, show):
    visit = show(make_spectrum(), width=width)
    page, heights = visit.page, set()
    page.add_style_tag(content=THEME)
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    settle(page)
    for k, key in ((0, "End"), (0, "Home"), (1, "Home"), (1, "ArrowRight"), (1, "End")):
        page.locator(".lx-slider input").nth(k).press(key)
        heights.add(page.locator(".lsp").bounding_box()["height"])
    page.locator(".lx-slider input").nth(0).evaluate(
        "(el) => { el.value = 250; el.dispatchEvent(new Event('input')); }"
    )
    heights.add(page.locator(".lsp").bounding_box()["height"])
    assert len(heights) == 1
    found = Axe().run(page).response["violations"]
    assert found == [], [(v["id"], v["nodes"][0]["html"]) for v in found]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    spectrum, _, curve = boxes(page)
    assert (spectrum["y"] == curve["y"]) == (width > 600)
    word, axes = page.locator(".lx-sp-kl-word text").bounding_box(), boxes(page)[1]
    assert word["x"] + word["width"] < axes["x"] + axes["width"]
    assert visit.problems == []


DRAGGED_LINE = DRAGGED.replace(
    'querySelectorAll(".lx-handle")[1]', 'querySelector(".lx-handle")'
)


@browser_test
def test_a_dragged_line_is_weighed_and_drawn_within_a_frame(show):
    page = show(make_spectrum()).page
    before = noise_shown(page)[0]
    each = work_per_move(page, DRAGGED_LINE)
    print(f"a dragged line, weighed and drawn: {each:.1f} ms of processor time")
    assert each <= 16 and noise_shown(page)[0] != before
