"use strict";

function show(id, line) {
  const lines = document.getElementById(id);
  lines.textContent = (lines.textContent + line + "\n").split("\n").slice(-9).join("\n");
}

const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/echo`);
socket.onmessage = (message) => show("echoed", message.data);
document.getElementById("echo").onsubmit = (event) => {
  event.preventDefault();
  socket.send(event.target.text.value);
};

new EventSource("/events").onmessage = (message) => show("events", message.data);
