// Canvas for an image (dropped, pasted, chosen or drawn), and a mask or colours over it. canvas.py sets `props`.
const find = (selector) => element.querySelector(selector);
const sheet = find(".gs-sheet");
const [base, layer] = element.querySelectorAll("canvas");
const file = find("input[type=file]");
const alert = find("[role=alert]");
const INK = props.mask ? "#d6336c" : props.paint ? null : "#000"; // null: each stroke has its own colour
const EMPTY = props.sketch ? 512 : 1024; // maximum pixels of the longer side of an empty canvas
const FINEST = props.paint ? Infinity : EMPTY; // and of an image: what is not painted over keeps its own pixels
let source = null; // the image file: its name, and its content as a data URL
let strokes = []; // of the brush: points, width, colour, and whether they erase
let erasing = false;

function resize(width, height) {
  for (const canvas of [base, layer]) [canvas.width, canvas.height] = [width, height];
  sheet.style.aspectRatio = `${width} / ${height}`;
}

function reset() {
  source = null;
  strokes = [];
  alert.textContent = "";
  const scale = Math.max(1, Math.floor(EMPTY / Math.max(props.width, props.height)));
  resize(props.width * scale, props.height * scale);
  sheet.classList.toggle("gs-empty", true);
}

// Draw the strokes in one colour, or each in its own; erasing strokes remove earlier ones.
function paint(canvas, ink) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  Object.assign(context, { lineCap: "round", lineJoin: "round" });
  for (const { points, width, colour, erases, box } of strokes) {
    context.strokeStyle = context.fillStyle = ink ?? colour;
    context.globalCompositeOperation = erases ? "destination-out" : "source-over";
    context.lineWidth = width;
    context.beginPath();
    if (box) context.fillRect(...box);
    else {
      for (const point of [points[0], ...points]) context.lineTo(...point);
      context.stroke();
    }
  }
}

const redraw = () => paint(layer, INK);

// Return the strokes over an image over a background, as a data URL.
function render(ink, background, image) {
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [layer.width, layer.height];
  paint(copy, ink);
  const context = copy.getContext("2d");
  context.globalCompositeOperation = "destination-over";
  if (image) context.drawImage(image, 0, 0);
  context.fillStyle = background;
  context.fillRect(0, 0, copy.width, copy.height);
  return copy.toDataURL("image/png");
}

function publish() {
  const value = source ? { image: source.url, name: source.name } : {};
  if (props.sketch && strokes.length) [value.image, value.name] = [render(INK, "#fff", base), "drawing.png"];
  if (props.mask && strokes.length) value.over = render("#fff", "#000", null);
  if (props.paint && source && strokes.length) value.over = render(null, "#fff", base);
  sheet.classList.toggle("gs-empty", !source && !strokes.length);
  props.value = value;
  trigger("input");
}

async function show(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const scale = Math.min(1, FINEST / Math.max(image.naturalWidth, image.naturalHeight));
  resize(Math.max(1, Math.round(image.naturalWidth * scale)), Math.max(1, Math.round(image.naturalHeight * scale)));
  base.getContext("2d").drawImage(image, 0, 0, base.width, base.height);
}

const read = (blob) =>
  new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(blob);
  });

async function load(blob, name) {
  if (!blob) return;
  reset();
  if (blob.size > props.most) {
    alert.textContent = `${name} has ${blob.size} bytes; use an image of up to ${props.most} bytes.`;
    return;
  }
  source = { name, url: await read(blob) };
  await show(source.url).catch(() => {}); // the server may read what this browser cannot, or explain the error
  publish();
}

function position(event) {
  const box = layer.getBoundingClientRect();
  return [((event.clientX - box.left) * layer.width) / box.width, ((event.clientY - box.top) * layer.height) / box.height];
}

function begin(event) {
  if ((props.mask || props.paint) && !source) return;
  event.preventDefault();
  layer.setPointerCapture(event.pointerId);
  const width = (Number(find("[name=brush]").value) / 100) * Math.max(layer.width, layer.height);
  const stroke = { points: [position(event)], width, colour: find("[name=colour]")?.value, erases: erasing };
  strokes.push(stroke);
  sheet.classList.remove("gs-empty");
  redraw();
  layer.onpointermove = (moved) => {
    stroke.points.push(position(moved));
    redraw();
  };
  layer.onpointerup = layer.onpointercancel = () => {
    layer.onpointermove = layer.onpointerup = layer.onpointercancel = null;
    publish();
  };
}

const actions = {
  undo: () => strokes.pop(),
  erase: (button) => button.setAttribute("aria-pressed", (erasing = !erasing)),
  middle: () => {
    if (source) strokes.push({ box: [layer.width / 4, layer.height / 4, layer.width / 2, layer.height / 2] });
  },
  clear: reset,
};

element.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-do]");
  if (button) {
    actions[button.dataset.do](button);
    redraw();
    if (button.dataset.do !== "erase") publish();
  }
  const example = event.target.closest("[data-example]");
  if (example) await load(await (await fetch(example.src)).blob(), example.dataset.example);
});
file.addEventListener("change", () => load(file.files[0], file.files[0]?.name));
sheet.addEventListener("dragover", (event) => event.preventDefault());
sheet.addEventListener("drop", (event) => {
  event.preventDefault();
  load(event.dataTransfer.files[0], event.dataTransfer.files[0]?.name);
});
document.addEventListener("paste", (event) => {
  if (element.offsetParent) load(event.clipboardData.files[0], event.clipboardData.files[0]?.name);
});
if (props.sketch || props.mask || props.paint) layer.addEventListener("pointerdown", begin);
reset();
