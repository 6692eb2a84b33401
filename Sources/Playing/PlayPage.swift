// The page, whole: it needs nothing else, neither from this server nor from another.

let playPage = #"""
  <!doctype html>
  <html lang="en">
  <head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>play</title>
  <style>
    :root { color-scheme: dark; }
    body { margin: 0 auto; padding: 1rem; max-width: 46rem; background: #111; color: #ddd;
           font: 15px/1.4 system-ui, sans-serif; }
    canvas { display: block; width: min(100%, calc(100vh - 15rem)); margin: 0 auto 0.8rem;
             image-rendering: pixelated; background: #000; border: 2px solid #333; }
    canvas.recording { border-color: #58a; }
    canvas.end { border-color: #a44; }
    dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr));
         gap: 0.3rem 1rem; margin: 0 0 0.8rem; }
    dt { color: #888; font-size: 0.8rem; }
    dd { margin: 0; min-height: 1.4em; }
    dd { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
    button { font: inherit; color: inherit; background: #2a2a2a; border: 1px solid #444;
             border-radius: 4px; padding: 0.25rem 0.6rem; cursor: pointer; }
    button:hover { background: #383838; }
    kbd { color: #888; font: inherit; }
    p { color: #888; margin: 0.6rem 0; }
    #message { color: #e90; min-height: 1.4em; }
  </style>
  </head>
  <body>
  <canvas id="image" width="1" height="1"></canvas>
  <dl>
    <div><dt>shown</dt><dd id="mode"></dd></div>
    <div><dt>step</dt><dd id="step"></dd></div>
    <div><dt>action</dt><dd id="action"></dd></div>
    <div><dt>reward</dt><dd id="reward"></dd></div>
    <div><dt>score</dt><dd id="score"></dd></div>
    <div><dt>end</dt><dd id="end"></dd></div>
    <div><dt>surprise, bits</dt><dd id="bits"></dd></div>
    <div><dt>frames per second</dt><dd id="fps"></dd></div>
    <div><dt>key to image, ms</dt><dd id="latency"></dd></div>
    <div><dt>start</dt><dd id="start"></dd></div>
  </dl>
  <div id="buttons"></div>
  <p>Arrows or WASD move, space fires.</p>
  <p id="message" role="status">connecting</p>
  <script>
  "use strict";
  const element = name => document.getElementById(name);
  const canvas = element("image"), context = canvas.getContext("2d");
  const order = ["up", "down", "left", "right", "fire"];
  const keyNames = {
    ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right", Space: "fire",
    KeyW: "up", KeyS: "down", KeyA: "left", KeyD: "right",
  };
  const commands = [
    ["reset", "Enter", "reset", "Enter"], ["next", "KeyN", "other start", "N"],
    ["pause", "KeyP", "pause", "P"], ["step", "Period", "step", "."],
    ["rewind", "Backspace", "rewind", "Backspace"], ["mode", "KeyM", "dream / recording", "M"],
    ["record", "KeyR", "record", "R"],
  ];
  const held = new Set();  // codes of keys that are down
  let sent = "", waiting = null, drawn = Promise.resolve();

  const socket = new WebSocket("ws://" + location.host + "/socket" + location.search);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => say("");
  socket.onclose = () => say("play has ended; start it again and take its new address");
  socket.onmessage = event => { drawn = drawn.then(() => show(event.data)).catch(say); };

  function say(text) { element("message").textContent = text; }
  function write(name, text) { element(name).textContent = text ?? "–"; }
  function send(text) { if (socket.readyState === WebSocket.OPEN) socket.send(text); }

  /// Four bytes of length, the status in JSON, the image as a PNG.
  async function show(data) {
    const length = new DataView(data).getUint32(0);
    const status = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    const png = new Blob([new Uint8Array(data, 4 + length)], { type: "image/png" });
    const image = await createImageBitmap(png);
    if (canvas.width !== image.width || canvas.height !== image.height) {
      canvas.width = image.width;
      canvas.height = image.height;
    }
    context.drawImage(image, 0, 0);
    image.close();
    send("seen");
    canvas.className = status.isEnd ? "end" : status.mode;
    write("mode", status.mode + (status.isPaused ? ", paused" : ""));
    write("step", status.step);
    write("action", status.actionName);
    write("reward", status.reward);
    write("score", status.score);
    write("end", status.isEnd ? "end" : status.canStep ? "no" : "of the recording");
    write("bits", status.bits?.toFixed(1));
    write("fps", status.fps?.toFixed(1));
    write("start", status.start);
    element("pause-button").firstChild.data = status.isPaused ? "go on " : "pause ";
    element("mode-button").firstChild.data =
      status.mode === "dream" ? "show the recording " : "dream on ";
    element("record-button").firstChild.data =
      status.recorded === undefined ? "record " : "stop, " + status.recorded + " steps ";
    if (socket.readyState === WebSocket.OPEN) {
      say(status.isEnd ? "The game has ended: Enter begins again."
        : status.saved.length ? "saved " + status.saved.join(", ") : "");
    }
    if (waiting !== null && status.keys.join(" ") === waiting.keys) {
      write("latency", Math.round(performance.now() - waiting.since));
      waiting = null;
    }
  }

  function sendKeys() {
    const names = new Set([...held].map(code => keyNames[code]));
    const keys = order.filter(name => names.has(name)).join(" ");
    if (keys === sent) return;
    sent = keys;
    waiting = { keys, since: performance.now() };
    send("keys " + keys);
  }

  addEventListener("keydown", event => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (keyNames[event.code]) {
      event.preventDefault();
      held.add(event.code);
      sendKeys();
      return;
    }
    const pressed = event.code.replace("Numpad", "");  // Enter is there as well
    const command = commands.find(([, code]) => code === pressed);
    if (!command) return;
    event.preventDefault();
    const repeats = ["step", "rewind"].includes(command[0]);
    if (!event.repeat || repeats) send("do " + command[0]);
  });
  addEventListener("keyup", event => { if (held.delete(event.code)) sendKeys(); });
  // Keys that go up elsewhere are not told of.
  addEventListener("blur", () => { held.clear(); sendKeys(); });
  document.addEventListener("visibilitychange", () => { held.clear(); sendKeys(); });

  for (const [name, , text, key] of commands) {
    const button = document.createElement("button");
    button.id = name + "-button";
    button.tabIndex = -1;  // space fires
    button.append(text + " ", Object.assign(document.createElement("kbd"), { textContent: key }));
    // A button must not take the keys.
    button.onmousedown = event => event.preventDefault();
    button.onclick = () => send("do " + name);
    element("buttons").append(button, " ");
  }
  </script>
  </body>
  </html>
  """#
