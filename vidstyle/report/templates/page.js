"use strict";
(() => {
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const byId = (id) => document.getElementById(id);
  const videos = [...document.querySelectorAll("video")];
  const charts = [...document.querySelectorAll("svg.curves")];
  const cuts = new Set(data.cuts);
  // The frame of the player, which the charts show unless they are pointed at.
  let current = null;

  // The values at a frame, beside the names of the curves, and a line at the frame; null: none.
  const mark = (frame) => {
    document.body.classList.toggle("marked", frame !== null);
    const at = frame === null ? "" : `frame ${data.first + frame}${cuts.has(frame) ? ", a shot begins" : ""}`;
    charts.forEach((chart, number) => {
      const { left, right, frames } = chart.dataset;
      const last = Math.max(1, Number(frames) - 1);
      const x = Number(left) + ((Number(right) - Number(left)) * (frame ?? 0)) / last;
      const cursor = chart.querySelector(".cursor");
      cursor.setAttribute("x1", x);
      cursor.setAttribute("x2", x);
      chart.parentElement.querySelector(".at").textContent = at;
      const places = chart.parentElement.querySelectorAll(".legend .value");
      data.curves[number].forEach((series, curve) => {
        places[curve].textContent = frame === null ? "" : String(series[frame] ?? "");
      });
    });
  };

  const frameUnder = (chart, event) => {
    const { left, right, frames } = chart.dataset;
    const box = chart.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * chart.viewBox.baseVal.width;
    const last = Number(frames) - 1;
    const frame = Math.round(((x - Number(left)) / (Number(right) - Number(left))) * Math.max(1, last));
    return Math.min(Math.max(frame, 0), last);
  };

  for (const chart of charts) {
    chart.addEventListener("pointermove", (event) => mark(frameUnder(chart, event)));
    chart.addEventListener("pointerleave", () => mark(current));
  }

  if (!videos.length || !data.seconds.length) return;

  const seconds = data.seconds;
  const slider = byId("frame"), play = byId("play"), speed = byId("speed"), now = byId("now");
  const canvas = byId("compared"), wipe = byId("wipe"), left = byId("left"), right = byId("right");
  const pen = canvas.getContext("2d");
  const step = seconds.length > 1 ? seconds[seconds.length - 1] / (seconds.length - 1) : 0.04;
  let playing = false;

  // Not every browser can seek in a data address; all can in a blob.
  for (const video of videos) {
    const text = atob(video.src.slice(video.src.indexOf(",") + 1));
    const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    video.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
    video.controls = false;
    video.loop = false;
    video.muted = true;
    video.addEventListener("seeked", () => draw());
    video.addEventListener("loadeddata", () => draw());
  }

  // The middle of a frame, so that rounding never shows its neighbor.
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
    pen.drawImage(videos[Number(left.value)], 0, 0, width, height);
    pen.save();
    pen.beginPath();
    pen.rect(line, 0, width - line, height);
    pen.clip();
    pen.drawImage(videos[Number(right.value)], 0, 0, width, height);
    pen.restore();
    pen.fillStyle = "#000";
    pen.fillRect(line - 1.5, 0, 3, height);
    pen.fillStyle = "#fff";
    pen.fillRect(line - 0.5, 0, 1, height);
  };

  const report = (frame) => {
    const text = `frame ${data.first + frame}, ${seconds[frame].toFixed(2)} s`;
    slider.value = frame;
    slider.setAttribute("aria-valuetext", text);
    now.textContent = text;
    current = frame;
    mark(frame);
  };

  const show = (frame) => {
    stop();
    const time = middle(frame);
    for (const video of videos) video.currentTime = time;
    report(frame);
  };

  const stop = () => {
    playing = false;
    play.textContent = "Play";
    for (const video of videos) video.pause();
  };

  const start = async () => {
    const rate = Number(speed.value);
    if (videos[0].ended || Number(slider.value) === seconds.length - 1) {
      for (const video of videos) video.currentTime = 0;
    }
    for (const video of videos) video.playbackRate = rate;
    playing = true;
    play.textContent = "Pause";
    try {
      await Promise.all(videos.map((video) => video.play()));
      requestAnimationFrame(tick);
    } catch {
      stop();
    }
  };

  // The first video leads; one that is more than a frame and a half away is brought back.
  const tick = () => {
    if (!playing) return;
    const [leader, ...others] = videos;
    if (leader.ended) {
      start();
      return;
    }
    for (const video of others) {
      if (Math.abs(video.currentTime - leader.currentTime) > 1.5 * step) {
        video.currentTime = leader.currentTime;
      }
    }
    report(frameAt(leader.currentTime));
    draw();
    requestAnimationFrame(tick);
  };

  play.addEventListener("click", () => (playing ? show(Number(slider.value)) : start()));
  slider.addEventListener("input", () => show(Number(slider.value)));
  speed.addEventListener("change", () => {
    for (const video of videos) video.playbackRate = Number(speed.value);
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
  for (const chart of charts) {
    chart.addEventListener("click", (event) => {
      const frame = frameUnder(chart, event);
      if (frame < seconds.length) show(frame);
    });
  }
  report(0);
})();
