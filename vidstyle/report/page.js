"use strict";
(() => {
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const byId = (id) => document.getElementById(id);
  const films = [...document.querySelectorAll("video")];
  const charts = [...document.querySelectorAll("svg.curves")];

  // The values at a frame, beside the names of the curves, and a line where it lies.
  const mark = (frame) => {
    charts.forEach((chart, number) => {
      const { left, right, frames } = chart.dataset;
      const last = Math.max(1, Number(frames) - 1);
      const x = Number(left) + ((Number(right) - Number(left)) * frame) / last;
      const cursor = chart.querySelector(".cursor");
      cursor.setAttribute("x1", x);
      cursor.setAttribute("x2", x);
      const places = chart.parentElement.querySelectorAll(".legend .value");
      data.curves[number].forEach((series, curve) => {
        const value = series[frame];
        places[curve].textContent = value === null || value === undefined ? "" : String(value);
      });
    });
  };

  if (!films.length || !data.seconds.length) return;

  const seconds = data.seconds;
  const slider = byId("frame"), play = byId("play"), speed = byId("speed"), now = byId("now");
  const canvas = byId("compared"), wipe = byId("wipe"), left = byId("left"), right = byId("right");
  const pen = canvas.getContext("2d");
  const step = seconds.length > 1 ? seconds[seconds.length - 1] / (seconds.length - 1) : 0.04;
  let playing = false;

  // Not every browser can seek in a data address; all can in a blob.
  for (const film of films) {
    const text = atob(film.src.slice(film.src.indexOf(",") + 1));
    const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    film.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
    film.controls = false;
    film.loop = false;
    film.muted = true;
    film.addEventListener("seeked", () => draw());
    film.addEventListener("loadeddata", () => draw());
  }

  // The middle of a frame, so that rounding never shows its neighbour.
  const middle = (frame) => {
    const next = frame + 1 < seconds.length ? seconds[frame + 1] : seconds[frame] + step;
    return (seconds[frame] + next) / 2;
  };

  const frameAt = (time) => {
    let low = 0, high = seconds.length - 1;
    while (low < high) {
      const half = (low + high + 1) >> 1;
      if (seconds[half] <= time + 1e-4) low = half;
      else high = half - 1;
    }
    return low;
  };

  const draw = () => {
    const { width, height } = canvas;
    const line = (width * Number(wipe.value)) / 100;
    pen.clearRect(0, 0, width, height);
    pen.drawImage(films[Number(left.value)], 0, 0, width, height);
    pen.save();
    pen.beginPath();
    pen.rect(line, 0, width - line, height);
    pen.clip();
    pen.drawImage(films[Number(right.value)], 0, 0, width, height);
    pen.restore();
    pen.fillStyle = "#000";
    pen.fillRect(line - 1.5, 0, 3, height);
    pen.fillStyle = "#fff";
    pen.fillRect(line - 0.5, 0, 1, height);
  };

  const tell = (frame) => {
    const text = `frame ${data.first + frame}, ${seconds[frame].toFixed(2)} s`;
    slider.value = frame;
    slider.setAttribute("aria-valuetext", text);
    now.textContent = text;
    mark(frame);
  };

  const show = (frame) => {
    stop();
    const time = middle(frame);
    for (const film of films) film.currentTime = time;
    tell(frame);
  };

  const stop = () => {
    playing = false;
    play.textContent = "Play";
    for (const film of films) film.pause();
  };

  const start = async () => {
    const rate = Number(speed.value);
    if (films[0].ended || Number(slider.value) === seconds.length - 1) {
      for (const film of films) film.currentTime = 0;
    }
    for (const film of films) film.playbackRate = rate;
    playing = true;
    play.textContent = "Pause";
    try {
      await Promise.all(films.map((film) => film.play()));
      requestAnimationFrame(tick);
    } catch {
      stop();
    }
  };

  // The first film leads; who is more than a frame and a half away is brought back.
  const tick = () => {
    if (!playing) return;
    const [leader, ...others] = films;
    if (leader.ended) {
      start();
      return;
    }
    for (const film of others) {
      if (Math.abs(film.currentTime - leader.currentTime) > 1.5 * step) {
        film.currentTime = leader.currentTime;
      }
    }
    tell(frameAt(leader.currentTime));
    draw();
    requestAnimationFrame(tick);
  };

  play.addEventListener("click", () => (playing ? show(Number(slider.value)) : start()));
  slider.addEventListener("input", () => show(Number(slider.value)));
  speed.addEventListener("change", () => {
    for (const film of films) film.playbackRate = Number(speed.value);
  });
  for (const control of [wipe, left, right]) control.addEventListener("input", draw);

  const drag = (event) => {
    if (event.type === "pointermove" && !event.buttons) return;
    const box = canvas.getBoundingClientRect();
    wipe.value = (100 * (event.clientX - box.left)) / box.width;
    draw();
  };
  canvas.addEventListener("pointerdown", drag);
  canvas.addEventListener("pointermove", drag);

  for (const button of document.querySelectorAll("button.show")) {
    const frame = Number(button.dataset.frame);
    button.hidden = frame >= seconds.length;
    button.addEventListener("click", () => {
      show(frame);
      byId("controls").scrollIntoView();
      slider.focus({ preventScroll: true });
    });
  }
  byId("controls").hidden = false;
  document.body.classList.add("playable");
  tell(0);
})();
