(() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const MINUS = "\u2212";
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };
  const draw = (name, attributes) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };

  // --- magnitudes as people read them

  const rounded = (value, step) => {
    const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const text = value.toFixed(decimals);
    return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", MINUS);
  };
  const bare = (generator, natural) =>
    generator.unit === "log-factor" ? String(Number(Math.exp(natural).toPrecision(3))) : rounded(natural, generator.step);
  const amount = (generator, natural) => {
    const text = bare(generator, natural);
    if (generator.unit === "log-factor") return `factor ${text}`;
    if (generator.unit !== "degree" && generator.unit !== "pixel") return `parameter ${text}`;
    return `${text} ${generator.unit}${Math.abs(Number(text.replace(MINUS, "-"))) === 1 ? "" : "s"}`;
  };

  // --- what moves in the drawings

  const frameOf = (svg) => {
    const [left, top, width, height] = svg.dataset.frame.split(" ").map(Number);
    const [x0, x1, y0, y1] = svg.dataset.limits.split(" ").map(Number);
    return {
      box: { x: left, y: top, width, height },
      place: (x, y) => [((x - x0) / (x1 - x0)) * width, ((y1 - y) / (y1 - y0)) * height],
      limits: [x0, x1, y0, y1],
    };
  };

  // Dots on a lattice that travel with t and leave a tail from where they started.
  const makeDots = (svg, flow) => {
    const { box, place, limits } = frameOf(svg);
    const [x0, x1, y0, y1] = limits;
    const inner = draw("svg", { ...box, class: "dots" });
    const tails = draw("path", { class: "tails" }), heads = draw("path", { class: "heads" });
    inner.append(tails, heads);
    svg.append(inner);
    const seeds = [];
    const spacing = Math.max(x1 - x0, y1 - y0) / 6;
    const columns = Math.max(1, Math.round((x1 - x0) / spacing)), rows = Math.max(1, Math.round((y1 - y0) / spacing));
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) seeds.push(x0 + ((j + 0.5) / columns) * (x1 - x0), y0 + ((i + 0.5) / rows) * (y1 - y0));
    }
    return (t) => {
      const parts = t === 0 ? 0 : 24;
      const paths = [seeds];
      for (let k = 1; k <= parts; k++) {
        const next = Float64Array.from(paths[k - 1]);
        flow(next, t / parts);
        paths.push(next);
      }
      let tail = "", head = "";
      for (let i = 0; i < seeds.length; i += 2) {
        let open = false;
        for (const points of paths) {
          const far = Math.abs(points[i]) > 3 || Math.abs(points[i + 1]) > 3;
          if (!far) tail += (open ? "L" : "M") + place(points[i], points[i + 1]).map((v) => v.toFixed(2)).join(" ");
          open = !far;
        }
        if (open) head += "M" + place(paths.at(-1)[i], paths.at(-1)[i + 1]).map((v) => v.toFixed(2)).join(" ") + "h0";
      }
      tails.setAttribute("d", parts ? tail : "");
      heads.setAttribute("d", head);
    };
  };

  // A line in the histogram at the slider's magnitude.
  const makeMarker = (svg) => {
    const { box, place, limits } = frameOf(svg);
    const inner = draw("svg", { ...box, class: "marker" });
    const line = draw("line", { y1: 0, y2: box.height });
    inner.append(line);
    svg.append(inner);
    return (natural) => {
      const [x] = place(natural, limits[2]);
      line.setAttribute("x1", x.toFixed(2));
      line.setAttribute("x2", x.toFixed(2));
    };
  };

  // --- images that move

  const imageOf = (pixels, data, index) => {
    const size = pixels.rows * pixels.columns * pixels.channels;
    return data.subarray(index * size, (index + 1) * size);
  };

  const canvasOf = (rows, columns, label) => {
    const canvas = make("canvas", { width: columns, height: rows });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", label);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    return { canvas, context, buffer: context.createImageData(columns, rows) };
  };

  const makeTiles = (container, data, generator, flow, sprite) => {
    const { images, grid, background } = data;
    const decoded = generator.decoded;
    const strip = decoded && liescope.bytes(decoded.data);
    const tiles = [];
    const add = (index) => {
      const moving = canvasOf(grid.rows, grid.columns, `source of pair ${data.pairs[index]}, moved by the slider`);
      const tile = make("div", { className: "tile" }, moving.canvas);
      let model = null;
      if (decoded && index < decoded.count) {
        model = canvasOf(decoded.rows, decoded.columns, `the same from the trained decoder, pair ${data.pairs[index]}`);
        tile.append(model.canvas);
      }
      tiles.push({ index, moving, model });
      container.append(tile);
    };
    const show = (natural) => {
      const places = liescope.origins(grid, flow, natural / generator.unitPerT);
      for (const { index, moving, model } of tiles) {
        liescope.resample(imageOf(images, sprite, index), images.channels, grid, places, background, moving.buffer.data);
        moving.context.putImageData(moving.buffer, 0, 0);
        if (!model) continue;
        const nearest = decoded.steps.reduce((best, step, k) =>
          Math.abs(step - natural) < Math.abs(decoded.steps[best] - natural) ? k : best, 0);
        const bytes = imageOf(decoded, strip, index * decoded.steps.length + nearest);
        for (let k = 0; k < decoded.rows * decoded.columns; k++) {
          for (let c = 0; c < 3; c++) model.buffer.data[4 * k + c] = bytes[k * decoded.channels + (decoded.channels === 3 ? c : 0)];
          model.buffer.data[4 * k + 3] = 255;
        }
        model.context.putImageData(model.buffer, 0, 0);
      }
    };
    const setCount = (count) => {
      while (tiles.length > count) { tiles.pop(); container.lastChild.remove(); }
      while (tiles.length < count) add(tiles.length);
    };
    return { show, setCount };
  };

  // --- a button that plays: it calls back with the seconds since the last time, until it is stopped

  const makePlayer = (play, advance) => {
    let halt = null;
    const stop = () => {
      if (halt) halt();
      halt = null;
      play.textContent = "Play";
    };
    const start = () => {
      let before = performance.now();
      const soon = () => {
        if (still.matches) {
          const timer = setTimeout(next, 1200);
          halt = () => clearTimeout(timer);
        } else {
          const frame = requestAnimationFrame(next);
          halt = () => cancelAnimationFrame(frame);
        }
      };
      const next = () => {
        const now = performance.now();
        advance((now - before) / 1000);
        before = now;
        soon();
      };
      play.textContent = "Pause";
      soon();
    };
    document.addEventListener("visibilitychange", () => { if (document.hidden) stop(); });
    return { stop, toggle: () => (halt ? stop() : start()) };
  };

  // --- a slider with all that follows it

  const makeStage = (stage, data, sprite) => {
    const generator = data.generators[Number(stage.dataset.generator)];
    const flow = liescope.makeFlow(generator);
    const find = (selector) => stage.querySelector(selector);
    const controls = find(".controls"), slider = find("input"), output = find("output"), container = find(".tiles");
    const play = find(".play"), reset = find(".reset"), all = find(".all");
    Object.assign(slider, { min: -generator.reach, max: generator.reach, step: generator.step, value: 0 });
    const ends = find(".ends").children;
    [-generator.reach, 0, generator.reach].forEach((value, k) => { ends[k].textContent = value ? bare(generator, value) : bare({ ...generator, step: 1 }, 0); });

    const dots = makeDots(find("svg"), flow);
    const followers = [(natural) => dots(natural / generator.unitPerT)];
    const law = stage.closest(".panel, main").querySelector(".law svg");
    if (law) followers.push(makeMarker(law));
    const total = data.images ? data.images.count : 0;
    if (total) {
      const tiles = makeTiles(container, data, generator, flow, sprite);
      tiles.setCount(Math.min(data.shown, total));
      followers.push(tiles.show);
      container.hidden = false;
      container.classList.toggle("doubled", Boolean(generator.decoded));
      find(".tiles-note").hidden = !generator.decoded;
      all.hidden = total <= data.shown;
      all.textContent = `Show all ${total} images`;
      all.addEventListener("click", () => {
        const more = all.getAttribute("aria-expanded") !== "true";
        all.setAttribute("aria-expanded", String(more));
        all.textContent = more ? `Show ${data.shown} images` : `Show all ${total} images`;
        tiles.setCount(more ? total : Math.min(data.shown, total));
        show();
      });
    }
    const show = () => {
      const natural = Number(slider.value);
      const text = amount(generator, natural);
      output.textContent = text;
      slider.setAttribute("aria-valuetext", text);
      find(".in-t").textContent = `t = ${rounded(natural / generator.unitPerT, 0.001)}`;
      for (const follow of followers) follow(natural);
    };

    // Playing swings to and fro; where motion is unwelcome it goes in a few separate steps instead.
    let phase = 0;
    const player = makePlayer(play, (seconds) => {
      phase += still.matches ? Math.PI / 6 : seconds / 0.9;
      slider.value = generator.reach * Math.sin(phase);
      show();
    });
    play.addEventListener("click", () => {
      phase = Math.asin(Math.max(-1, Math.min(1, Number(slider.value) / generator.reach)));
      player.toggle();
    });
    slider.addEventListener("input", () => { player.stop(); show(); });
    reset.addEventListener("click", () => { player.stop(); slider.value = 0; show(); });
    controls.hidden = false;
    show();
    return player.stop;
  };

  // --- a film as it is and steadied, side by side

  const makeFilm = (section, film, generators) => {
    const { images, grid, background, index, t } = film;
    const sprite = liescope.bytes(images.data);
    const flows = generators.map(liescope.makeFlow);
    const find = (selector) => section.querySelector(selector);
    const screens = find(".screens"), slider = find("input"), output = find("output"), play = find(".play");
    const [before, after] = ["as it is", "steadied"].map((label, k) => {
      const screen = canvasOf(grid.rows, grid.columns, `the film ${label}`);
      screens.children[k].prepend(screen.canvas);
      return screen;
    });
    const whole = liescope.origins(grid, null, 0);
    const markers = [...section.querySelectorAll(".frames svg")].map(makeMarker);
    Object.assign(slider, { min: 0, max: images.count - 1, step: 1, value: 0 });
    const show = () => {
      const k = Number(slider.value), image = imageOf(images, sprite, k), known = t[k];
      // Back by t: each pixel shows what lies at its place moved on by t.
      const onwards = known && ((points, time) => flows.forEach((flow, n) => { if (known[n]) flow(points, time * known[n]); }));
      const places = onwards ? liescope.origins(grid, onwards, -1) : whole;
      for (const [screen, from] of [[before, whole], [after, places]]) {
        liescope.resample(image, images.channels, grid, from, background, screen.buffer.data);
        screen.context.putImageData(screen.buffer, 0, 0);
      }
      output.textContent = String(index[k]);
      slider.setAttribute("aria-valuetext", `frame ${index[k]}`);
      find(".in-t").textContent = known
        ? generators.map((generator, n) => amount(generator, known[n] * generator.unitPerT)).join(", ")
        : "in no accepted pair: as it is";
      for (const mark of markers) mark(index[k]);
    };
    const player = makePlayer(play, (seconds) => {
      const frames = still.matches ? 1 : seconds * 10;
      phase += frames;
      slider.value = Math.floor(phase) % images.count;
      show();
    });
    let phase = 0;
    const goTo = (k) => { player.stop(); slider.value = k; show(); };
    play.addEventListener("click", () => {
      phase = Number(slider.value);
      player.toggle();
    });
    slider.addEventListener("input", () => { player.stop(); show(); });
    find(".reset").addEventListener("click", () => goTo(0));
    for (const svg of section.querySelectorAll(".frames svg")) {
      svg.addEventListener("click", (event) => {
        const { box, limits } = frameOf(svg), size = svg.getBoundingClientRect();
        const x = ((event.clientX - size.left) / size.width) * svg.viewBox.baseVal.width;
        const frame = limits[0] + ((x - box.x) / box.width) * (limits[1] - limits[0]);
        goTo(index.reduce((best, number, k) => (Math.abs(number - frame) < Math.abs(index[best] - frame) ? k : best), 0));
      });
    }
    screens.hidden = find(".controls").hidden = false;
    show();
    return player.stop;
  };

  // --- tabs (the pattern of WAI-ARIA: one stop of the tab key, arrows go round)

  const makeTabs = (group, stops) => {
    const panels = [...group.querySelectorAll(":scope > .panel")];
    const list = make("div", { className: "tablist" });
    list.setAttribute("role", "tablist");
    list.setAttribute("aria-label", group.dataset.label);
    const tabs = panels.map((panel) => {
      const tab = make("button", { type: "button", id: `tab-${panel.id}`, textContent: panel.dataset.tab });
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", panel.id);
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", tab.id);
      panel.tabIndex = 0;
      return tab;
    });
    const select = (chosen, focus) => {
      stops.forEach((stop) => stop());
      tabs.forEach((tab, k) => {
        tab.setAttribute("aria-selected", String(k === chosen));
        tab.tabIndex = k === chosen ? 0 : -1;
        panels[k].classList.toggle("away", k !== chosen);
      });
      if (focus) tabs[chosen].focus();
    };
    tabs.forEach((tab, k) => tab.addEventListener("click", () => select(k, false)));
    list.addEventListener("keydown", (event) => {
      const now = tabs.indexOf(document.activeElement), last = tabs.length - 1;
      const next = { ArrowRight: now === last ? 0 : now + 1, ArrowLeft: now === 0 ? last : now - 1, Home: 0, End: last }[event.key];
      if (now < 0 || next === undefined) return;
      event.preventDefault();
      select(next, true);
    });
    list.append(...tabs);
    group.prepend(list);
    select(0, false);
  };

  // --- lines to copy

  const copied = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // No clipboard for local files, or not allowed: the old way.
      const field = make("textarea", { value: text, className: "unseen" });
      document.body.append(field);
      field.select();
      const done = document.execCommand("copy");
      field.remove();
      return done;
    }
  };

  const makeCopyButton = (block) => {
    const button = make("button", { type: "button", className: "copy", textContent: "Copy" });
    button.setAttribute("aria-label", `Copy: ${block.dataset.what}`);
    const said = document.getElementById("said");
    button.addEventListener("click", async () => {
      const done = await copied(block.querySelector("code").textContent);
      button.focus();
      button.textContent = done ? "Copied" : "Select and copy";
      said.textContent = done ? `Copied: ${block.dataset.what}` : "This browser does not let pages copy.";
      setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, 2500);
    });
    block.append(button);
  };

  const embedded = document.getElementById("slider-data");
  const stops = [];
  if (embedded) {
    const data = JSON.parse(embedded.textContent);
    const sprite = data.images && liescope.bytes(data.images.data);
    for (const stage of document.querySelectorAll(".stage")) stops.push(makeStage(stage, data, sprite));
    const film = document.getElementById("film-data");
    if (film) makeFilm(document.querySelector(".film"), JSON.parse(film.textContent), data.generators);
  }
  for (const group of document.querySelectorAll(".tabs")) makeTabs(group, stops);
  document.querySelectorAll(".copyable").forEach(makeCopyButton);
  performance.mark("slider-ready");
})();
