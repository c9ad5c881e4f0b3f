"""The explorers: Python against independent sums, the page against Python."""

import base64
import io
import json
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from ipywidgets import VBox
from ipywidgets.embed import dependency_state, embed_data
from PIL import Image
from torch.distributions import Bernoulli, Normal, kl_divergence

from vaebook.datasets import load_digits
from vaebook.explore import LatentExplorer, explore, rounded
from vaebook.explore.bundle import bundle
from vaebook.explore.fallback import VIEW
from vaebook.explore.packing import fixed_noise_terms
from vaebook.figures import CLASS_COLOURS
from vaebook.site.serve import server
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
    ],
)
def test_bundle_refuses_what_it_does_not_understand(tmp_path, root, message):
    ring = 'import { ring } from "./ring.js";\nexport const ring = 1;\n'
    late = "export const c = 1;\nexport { c as d };\n"
    other = "export const a = 1;\n"
    modules(tmp_path, root=root, other=other, ring=ring, late=late)
    with pytest.raises(ValueError, match=message):
        bundle("root.js", tmp_path)


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


def write_page(folder, *widgets):
    """A page that embeds widgets as the book's pages do."""
    used = dependency_state(widgets, drop_defaults=False)
    embedded = embed_data(views=widgets, state=used)["manager_state"]
    state = json.dumps(embedded).replace("</", "<\\/")
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
  for (const { path, data } of record.buffers) {
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


TIMED_MOVES = """async () => {
  const pad = document.querySelector(".lx-pad");
  const box = pad.getBoundingClientRect();
  const fire = (type, k) => pad.dispatchEvent(new PointerEvent(type, {
    bubbles: true, pointerId: 1, pointerType: "mouse", button: 0,
    clientX: box.left + box.width * (0.2 + 0.01 * k),
    clientY: box.top + box.height * (0.5 + 0.3 * Math.sin(k / 5)),
  }));
  const frame = () => new Promise(requestAnimationFrame);
  const painted = () => new Promise((done) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = done;
    channel.port2.postMessage(null);
  });
  const times = [];
  fire("pointerdown", 0);
  for (let k = 1; k <= 60; k++) {
    await frame();
    const start = performance.now();
    fire("pointermove", k);
    await painted();
    times.push(performance.now() - start);
  }
  fire("pointerup", 60);
  return times.sort((a, b) => a - b);
}"""


@browser_test
@pytest.mark.parametrize("latent_dim", [2, 8])
def test_a_pointer_move_is_painted_within_a_frame(latent_dim, show):
    page = show(make(latent_dim), device_scale_factor=2).page
    before = numbers(page)
    times = page.evaluate(TIMED_MOVES)
    print(f"pointer move to painted image: median {times[30]:.1f} ms")
    assert numbers(page) != before
    assert times[30] <= 16, times


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
}"""


@browser_test
@pytest.mark.parametrize("make_widget", [make, make_frames])
def test_cleaning_up_leaves_nothing_behind(make_widget, show):
    page = show(make_widget()).page
    page.evaluate(STAND_IN)
    page.evaluate(LISTENERS)
    page.evaluate("""() => {
      m.el = document.body.appendChild(document.createElement("div"));
      m.cleanUp = m.module.default.render({ model: m.model, el: m.el });
    }""")
    assert page.evaluate("alive") > 0
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
