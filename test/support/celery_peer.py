"""Celery's side of the tests: the program itself as it comes with Debian, told what to do by arguments.

usage: celery_peer.py worker BROKER QUEUE PREFIX FILE   a worker; a line of JSON into FILE for each task
       celery_peer.py send BROKER PROTOCOL              TASKS from standard input, sent by Celery's client
       celery_peer.py read PORT QUEUE                   what stands in a RabbitMQ queue, raw, as JSON lines
"""
import json
import sys

from celery import Celery

TASKS = ('add_share', 'add_one_minute', 'add_block', 'agent_receive')


def application(broker):
    app = Celery('peer', broker=broker)
    app.conf.update(task_serializer='json', accept_content=['json'], task_ignore_result=True)
    app.conf.update(broker_connection_retry=True, broker_connection_max_retries=None)
    return app


def work(broker, queue, prefix, path):
    app = application(broker)
    app.conf.update(task_default_queue=queue, worker_prefetch_multiplier=100, task_acks_late=True)
    app.conf.update(broker_heartbeat=5, worker_send_task_events=False)
    out = open(path, 'a', buffering=1)

    def register(name):
        def run(self, *args, **kwargs):
            line = {'task': name, 'id': self.request.id, 'args': args, 'kwargs': kwargs}
            out.write(json.dumps(line) + '\n')

        app.task(bind=True, name=prefix + '.' + name)(run)

    for name in TASKS:
        register(name)
    app.worker_main(['worker', '-P', 'solo', '-c', '1', '-l', 'WARNING', '--without-gossip',
                     '--without-mingle', '--without-heartbeat'])


def send(broker, protocol):
    app = application(broker)
    app.conf.task_protocol = int(protocol)
    for task in json.load(sys.stdin):
        app.send_task(task['name'], args=task['args'], kwargs=task['kwargs'], task_id=task['id'],
                      exchange='celery', routing_key='celery')


def read(port, queue):
    import amqp

    with amqp.Connection('127.0.0.1:' + port) as connection:
        channel = connection.channel()
        while True:
            message = channel.basic_get(queue, no_ack=True)
            if message is None:
                return
            body = message.body if isinstance(message.body, str) else message.body.decode()
            info = {name: message.delivery_info[name] for name in ('exchange', 'routing_key')}
            print(json.dumps({'properties': message.properties, 'info': info, 'body': body}))


if __name__ == '__main__':
    {'worker': work, 'send': send, 'read': read}[sys.argv[1]](*sys.argv[2:])
